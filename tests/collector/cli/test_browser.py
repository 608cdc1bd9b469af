"""`turnout browser`."""

from pathlib import Path

from tests.collector.cli.conftest import Turnout


def test_what_cannot_be_had_is_told_with_the_ways_to_get_it_later(turnout: Turnout) -> None:
    Path("other.tgz").write_bytes(b"something else")
    ended = turnout("browser", "fetch", "--from", "other.tgz", "--quiet")
    assert ended.code == 1
    assert "turnout: the library for browsers is not here: other.tgz is not the published" in ended.err
    assert "everything else works" in ended.err
    assert "npm pack @segment/analytics-next@" in ended.err
    assert ended.out == ""
