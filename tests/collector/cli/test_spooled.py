"""What `turnout status` says of the spool."""

from pathlib import Path

from typer.testing import CliRunner

from collector.cli import spooled
from collector.cli.main import app
from collector.spool.shelf import Shelf
from collector.spool.status import SpoolStatus
from tests.collector.appending import item


def test_nothing_is_said_while_nothing_waits() -> None:
    assert spooled.troubles(SpoolStatus(), now=0) == []


def test_it_is_told_how_much_waits_and_how_long() -> None:
    found = SpoolStatus(messages=1200, bytes=1_234_567, since=100.0)
    assert spooled.troubles(found, now=140.0) == [
        "warning: 1200 messages (1.2 MB) wait on this machine for the log, the oldest for 40 s"
    ]


def test_a_file_that_cannot_be_read_is_told() -> None:
    found = SpoolStatus(unreadable=("data/spool/0.db",))
    assert spooled.troubles(found, now=0) == ["warning: the spool file data/spool/0.db cannot be read"]


def test_it_is_told_while_the_log_is_away(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "spool", most_bytes=1 << 20)
    shelf.add([([item("a")], [])], 1.0)
    toml = tmp_path / "turnout.toml"
    toml.write_text(
        f'data = "{tmp_path}"\n[log]\nurl = "unix://{tmp_path}/none.sock"\n[rq]\nurl = "unix://{tmp_path}/rq.sock"\n'
        '[sources.web]\nwrite_keys = ["dev"]\n'
    )
    ended = CliRunner().invoke(app, ["status", "--config", str(toml)])
    told = "".join(str(line) for line in getattr(ended.exception, "lines", [])) + ended.output
    assert ended.exit_code == 1
    assert " wait on this machine for the log" in told
    assert "does not answer" in told
