"""A message is found in the archive by its id, with the place in the log that it had."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from destinations.archive import ids
from destinations.archive.finder import Found, find
from destinations.archive.index import Frame, Item
from destinations.archive.places import places, positions
from destinations.archive.reader import count_of
from destinations.builtin.archive import Archive
from destinations.outcome import Delivered
from destinations.registry import make
from schemas.envelope import Envelope
from tests.destinations.messages import envelope

HOUR = "web/2024-05-06/07"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "archive"


def keep(root: Path, *batches: list[Envelope]) -> None:
    made = make("archive", "archive", {"dir": str(root)}, place="turnout.toml [destinations.archive]")
    assert isinstance(made, Archive)
    for batch in batches:
        assert made.deliver(batch, time.monotonic() + 30) == [Delivered()] * len(batch)


def packed(count: int, *, first: int = 0, lane: str = "p07") -> list[Envelope]:
    """Messages as they come from the log: ten in an entry."""
    return [
        envelope(number, lane=lane, position=f"{1_700_000_000_000 + number // 10}-2/{number % 10}")
        for number in range(first, first + count)
    ]


def found(root: Path, message_id: str, source: str | None = "web") -> list[Found]:
    return list(find(root, source, message_id))


def test_a_message_is_found_with_its_body_and_its_place_in_the_log(root: Path) -> None:
    batch = packed(95)
    keep(root, batch[:50], batch[50:])
    for number in (0, 9, 10, 49, 50, 94):
        [one] = found(root, f"m{number}")
        assert (one.body, one.position) == (batch[number].body, batch[number].position)
        assert (one.source, one.lane, one.hour) == ("web", "p07", "2024-05-06T07")
    assert found(root, "m95") == []


def test_all_sources_are_searched_the_newest_hour_first(root: Path) -> None:
    first = envelope(1, received_at="2024-05-06T07:00:00.000Z")
    second = envelope(1, received_at="2024-05-07T01:00:00.000Z", source="app")
    keep(root, [first], [second])
    assert [(one.source, one.hour) for one in found(root, "m1", None)] == [
        ("app", "2024-05-07T01"),
        ("web", "2024-05-06T07"),
    ]
    assert [one.source for one in find(root, None, "m1", until="2024-05-06T23")] == ["web"]
    assert [one.source for one in find(root, None, "m1", since="2024-05-06T08")] == ["app"]


@pytest.mark.parametrize("damage", ["gone", "short", "hole", "empty"])
def test_ids_that_a_crash_took_are_made_anew_from_the_messages(root: Path, damage: str) -> None:
    keep(root, packed(60))
    path = root / HOUR / "p07.ids"
    whole = path.read_bytes()
    match damage:
        case "gone":
            path.unlink()
        case "short":
            os.truncate(path, 100)
        case "hole":
            path.write_bytes(bytes(64) + whole[64:])
        case _:
            path.write_bytes(b"")
    assert [one.position for one in found(root, "m3")] == ["1700000000000-2/3"]
    assert path.read_bytes() == whole


def test_ids_stay_right_when_the_next_writer_finds_none(root: Path) -> None:
    keep(root, packed(20))
    path = root / HOUR / "p07.ids"
    path.unlink()
    keep(root, packed(20, first=20))
    assert [one.position for one in found(root, "m3")] == ["1700000000000-2/3"]
    assert [one.position for one in found(root, "m33")] == ["1700000000003-2/3"]
    assert path.read_bytes() == b"".join(ids.digest(f"m{number}") for number in range(40))


def test_ids_of_a_write_that_was_never_vouched_for_are_not_seen(root: Path) -> None:
    keep(root, packed(20))
    with (root / HOUR / "p07.ids").open("ab") as file:
        file.write(ids.digest("m99"))
    assert found(root, "m99") == []
    keep(root, packed(10, first=20))
    assert len(found(root, "m25")) == 1


def test_a_digest_alone_proves_nothing(root: Path) -> None:
    keep(root, packed(20))
    (root / HOUR / "p07.ids").write_bytes(ids.digest("m7") * 20)
    assert [one.position for one in found(root, "m7")] == ["1700000000000-2/7"]


def test_index_lines_without_places_are_still_read(root: Path) -> None:
    keep(root, packed(25))
    index = root / HOUR / "p07.index"
    frame, _, _ = index.read_bytes().partition(b',"upto"')
    index.write_bytes(frame + b"}\n")
    assert count_of(index) == 25
    assert [one.body for one in found(root, "m12")] == [packed(25)[12].body]
    assert found(root, "m12")[0].position == ""
    assert found(root, "m0")[0].position == "1700000000000-2/0"


def test_what_came_a_second_time_has_files_of_its_own(root: Path) -> None:
    keep(root, packed(3), packed(3, lane="p07~r5f3a"))
    assert [one.lane for one in found(root, "m1")] == ["p07", "p07~r5f3a"]


def test_a_torn_last_line_of_an_index_does_not_count(root: Path) -> None:
    keep(root, packed(10), packed(10, first=10))
    index = root / HOUR / "p07.index"
    with index.open("ab") as file:
        file.write(b'{"offset":')
    assert count_of(index) == 20


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 5)), min_size=1, max_size=40, unique=True
    ).map(sorted)
)
def test_every_run_of_positions_is_told_again(at: list[tuple[int, int, int]]) -> None:
    said = [f"{1_700_000_000_000 + time}-{sequence}/{number}" for time, sequence, number in at]
    frame = Frame(0, 1, said[0], said[-1], len(said), len(said), places([Item(one, b"") for one in said]))
    assert positions(frame) == said
