"""Messages are exchanged in an archive that others read and write, and a crash at any moment does no harm."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import zstandard

from destinations.archive.erasing import Replace, erase
from destinations.archive.finder import find
from destinations.archive.index import DamagedArchiveError, Item, frames
from destinations.archive.layout import Slot
from destinations.archive.reader import bodies_of, messages
from destinations.archive.segment import Segment

SLOT = Slot("web", "2024-02-29T12", "p00")
COMPRESSOR = zstandard.ZstdCompressor()


def item(number: int, *, user: str = "otto") -> Item:
    name = f"m{number}"
    body = f'{{"messageId":"{name}","userId":"{user}","n":{number}}}'.encode()
    return Item(f"170000000{number:04d}-0/0", body, name)


def without(user: str) -> Replace:
    def replace(bodies: Sequence[bytes]) -> list[bytes] | None:
        new = [b'{"messageId":"gone"}' if user.encode() in body else body for body in bodies]
        return new if new != list(bodies) else None

    return replace


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Four frames; Vera's messages are in the first and the third."""
    segment = Segment(tmp_path, SLOT)
    for start in range(0, 12, 3):
        items = [item(number, user="vera" if number in (1, 6, 7) else "otto") for number in range(start, start + 3)]
        segment.append(items, COMPRESSOR)
    return tmp_path


def archived(root: Path) -> list[bytes]:
    return list(messages(SLOT.index(root)))


def test_what_is_exchanged_keeps_its_place_and_its_position(root: Path) -> None:
    before = archived(root)
    places = erase(root, SLOT, without("vera"))
    assert places == [item(number).position for number in (1, 6, 7)]
    after = archived(root)
    assert len(after) == 12
    assert [number for number in range(12) if after[number] != before[number]] == [1, 6, 7]
    assert after[1] == b'{"messageId":"gone"}'
    assert list(find(root, "web", "m6")) == []
    assert [found.position for found in find(root, "web", "m8")] == [item(8).position]
    assert erase(root, SLOT, without("vera")) == []


def test_the_bytes_of_what_was_exchanged_are_gone(root: Path) -> None:
    known, _ = frames(SLOT.index(root).read_bytes())
    data = SLOT.data(root).read_bytes()
    erase(root, SLOT, without("vera"))
    after = SLOT.data(root).read_bytes()
    for number in (0, 2):
        assert data[known[number].offset : known[number].end] not in after
        assert after[known[number].offset : known[number].end].strip(b"\0") == b""


def test_whoever_writes_the_file_goes_on_after_it(tmp_path: Path, root: Path) -> None:
    segment = Segment(root, SLOT)
    segment.append([item(12)], COMPRESSOR)
    erase(root, SLOT, without("vera"))
    segment.append([item(12), item(13)], COMPRESSOR)
    Segment(root, SLOT).append([item(13), item(14)], COMPRESSOR)
    assert archived(root)[12:] == [item(number).body for number in (12, 13, 14)]
    assert len(list(find(root, "web", "m14"))) == 1


def test_whoever_read_the_index_earlier_finds_the_frames_where_they_are_now(root: Path) -> None:
    known, _ = frames(SLOT.index(root).read_bytes())
    erase(root, SLOT, without("vera"))
    assert [body for frame in known for body in bodies_of(SLOT.data(root), frame)] == archived(root)


def test_a_crash_before_the_index_is_exchanged_leaves_the_archive_as_it_was(root: Path) -> None:
    before = archived(root)
    with SLOT.data(root).open("ab") as data:
        data.write(b"a frame that nothing vouches for: vera")
    SLOT.index(root).with_name("p00.index.new").write_bytes(b"half a li")
    assert archived(root) == before
    erase(root, SLOT, without("vera"))
    assert b"vera" not in SLOT.data(root).read_bytes()
    assert len(archived(root)) == 12


def test_a_crash_before_the_old_frames_are_wiped_is_finished_by_the_next_time(root: Path) -> None:
    known, _ = frames(SLOT.index(root).read_bytes())
    data = SLOT.data(root).read_bytes()
    erase(root, SLOT, without("vera"))
    with SLOT.data(root).open("r+b") as file:
        file.write(data)  # as it was before the wiping
    assert len(archived(root)) == 12
    erase(root, SLOT, without("vera"))
    assert data[known[0].offset : known[0].end] not in SLOT.data(root).read_bytes()


def test_a_frame_that_is_damaged_is_told_and_nothing_is_changed(root: Path) -> None:
    with SLOT.data(root).open("r+b") as file:
        file.write(b"\0" * 8)
    with pytest.raises(DamagedArchiveError):
        erase(root, SLOT, without("vera"))
