"""The spool's files: modes, slots, sizes, disks that fail, and what is left after each."""

import asyncio
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collector.spool.shelf import Shelf
from collector.spool.spool import Spool, SpoolTrouble
from collector.spool.status import SpoolStatus, read_status
from collector.spool.store import Store
from tests.collector.appending import NOON, item, refusal, spool_in

PLENTY = 1 << 24


def shelf_in(directory: Path) -> Shelf:
    return Shelf(directory / "spool", most_bytes=PLENTY)


def brought(shelf: Shelf) -> list[bytes]:
    """What is in it, taken out."""
    found: list[bytes] = []
    while (next_one := shelf.chunk()) is not None:
        slot, chunk = next_one
        slot.go_on(chunk, chunk)
        found += [record.body for record in chunk]
    return found


def test_what_is_kept_comes_out_as_it_went_in_and_in_order(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path)
    shelf.add([([item("a", user="ü\0"), item("b")], [refusal(b"{}")]), ([item("c", source="app")], [])], NOON)
    found = shelf.chunk()
    assert found is not None
    a, b, refused, c = found[1]
    assert (a.item(), b.item(), c.item()) == (item("a", user="ü\0"), item("b"), item("c", source="app"))
    assert refused.item() is None
    assert b'"raw":"e30="' in refused.body


def test_only_the_owner_can_read_what_is_kept(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path)
    shelf.add([([item("a")], [])], NOON)
    directory = tmp_path / "spool"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [directory, *directory.iterdir()]}
    assert modes == {"spool": 0o700, "0.db": 0o600, "0.db-wal": 0o600, "0.db-shm": 0o600, "0.lock": 0o600}


def test_every_write_is_synced(tmp_path: Path) -> None:
    store = Store(tmp_path / "0.db", most_bytes=PLENTY)
    ask = store._database.execute
    assert ask("PRAGMA synchronous").fetchone() == (2,)
    assert ask("PRAGMA journal_mode").fetchone() == ("wal",)


def test_two_collectors_on_one_machine_write_to_files_of_their_own(tmp_path: Path) -> None:
    first, second = shelf_in(tmp_path), shelf_in(tmp_path)
    first.add([([item("a")], [])], NOON)
    second.add([([item("b")], [])], NOON + 1)
    assert read_status(tmp_path) == SpoolStatus(messages=2, bytes=2, since=NOON)
    assert not second.adopt(), "the first is still there"
    first.close()
    assert second.adopt()
    assert brought(second) == [b"a", b"b"], "what others left is older"
    assert read_status(tmp_path) == SpoolStatus(since=None)


def test_what_was_brought_does_not_come_again_and_its_room_is_used_again(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "spool", most_bytes=1 << 20)
    for number in range(20):
        shelf.add([([item(f"m{number}", size=400_000)], [])], NOON)
        assert len(brought(shelf)) == 1
    assert shelf.drained()


def test_an_emptied_spool_gives_its_room_back(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path)
    for number in range(16):
        shelf.add([([item(f"m{number}", size=500_000)], [])], NOON)
    brought(shelf)
    assert sum(path.stat().st_size for path in (tmp_path / "spool").iterdir()) < 1_000_000


def test_ids_go_on_growing_when_the_file_has_been_empty(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path)
    for name in ("a", "b", "c"):
        shelf.add([([item(name)], [])], NOON)
        assert not shelf.drained()
        assert brought(shelf) == [name.encode()]
        assert shelf.drained()


def test_what_the_log_refused_stays_and_comes_again(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path)
    shelf.add([([item("a"), item("b")], [])], NOON)
    found = shelf.chunk()
    assert found is not None
    slot, chunk = found
    slot.go_on(chunk, chunk[1:])
    assert shelf.chunk() is None
    assert not shelf.drained()
    shelf.rewind()
    assert brought(shelf) == [b"a"]
    assert shelf.drained()


def test_a_damaged_file_is_left_for_people_and_another_is_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "0.db").write_bytes(b"no database" * 1000)
    shelf = shelf_in(tmp_path)
    shelf.add([([item("a")], [])], NOON)
    assert not shelf.adopt()
    assert brought(shelf) == [b"a"]
    assert "0.db is damaged" in caplog.text
    assert (tmp_path / "spool" / "0.db").read_bytes() == b"no database" * 1000
    assert read_status(tmp_path).unreadable == (str(tmp_path / "spool" / "0.db"),)


def test_a_spool_file_of_half_a_creation_is_used(tmp_path: Path) -> None:
    """Killed between the two: the file is there, and its tables are not."""
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "0.db").touch()
    shelf = shelf_in(tmp_path)
    shelf.add([([item("a")], [])], NOON)
    assert (tmp_path / "spool" / "0.db").stat().st_size
    assert brought(shelf) == [b"a"]


def test_nothing_is_there_to_look_at_before_there_was_a_spool(tmp_path: Path) -> None:
    assert read_status(tmp_path) == SpoolStatus()


# disks that fail


async def refused_write(spool: Spool, size: int) -> str:
    with pytest.raises(SpoolTrouble) as found:
        await spool.add([([item("refused", size=size)], [])])
    return str(found.value)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process may grow beyond that: writes fail in the middle, as on a disk with errors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def names_in(spool: Spool) -> list[str]:
    found: list[str] = []
    while (next_one := await spool.chunk()) is not None:
        slot, chunk = next_one
        await spool.go_on(slot, chunk, chunk)
        found += [str(record.message_id) for record in chunk]
    return found


def test_a_write_that_fails_is_said_and_the_next_one_works_when_the_disk_does(tmp_path: Path) -> None:
    async def act() -> None:
        spool = spool_in(tmp_path)
        await spool.open()
        await spool.add([([item("before")], [])])
        with largest_file(300_000):
            assert "does not work (SQLITE_" in await refused_write(spool, 1_000_000)
            assert spool.trouble is not None
            await spool.try_out()
            assert spool.trouble is not None
        await spool.try_out()
        assert spool.trouble is None
        await spool.add([([item("after")], [])])
        assert await names_in(spool) == ["before", "after"]
        assert spool.drained
        await spool.close()

    asyncio.run(act())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    directory = tmp_path / "disk"
    directory.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", directory], check=False)
    if mounted.returncode:
        pytest.skip("only root may mount a small disk; the limit on the size of files stands for it in the test above")
    yield directory
    subprocess.run(["umount", directory], check=True)


def test_a_full_disk_is_said_and_nothing_that_was_kept_suffers(small_disk: Path) -> None:
    async def act() -> None:
        spool = spool_in(small_disk)
        await spool.open()
        await spool.add([([item("before", size=100_000)], [])])
        (small_disk / "others").write_bytes(b"x" * 500_000)
        assert await refused_write(spool, 600_000) == "the disk of this collector's spool is full"
        (small_disk / "others").unlink()
        await spool.add([([item("after", size=100_000)], [])])
        assert spool.trouble is None
        assert await names_in(spool) == ["before", "after"]
        await spool.close()

    asyncio.run(act())


def test_a_spool_can_be_emptied_on_a_disk_that_takes_no_more_writes(tmp_path: Path) -> None:
    """What cannot be deleted is not brought twice by this collector; by the next one it is, and taken once."""

    async def act() -> None:
        spool = spool_in(tmp_path)
        await spool.open()
        await spool.add([([item("a"), item("b")], [])])
        found = await spool.chunk()
        assert found is not None
        with largest_file(1), pytest.raises(SpoolTrouble):
            await spool.go_on(*found, found[1])
        assert spool.drained
        await spool.add([([item("c")], [])])
        assert await names_in(spool) == ["c"]
        await spool.close()
        assert read_status(tmp_path) == SpoolStatus()

    asyncio.run(act())


def test_where_no_spool_can_be_it_is_said_and_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def act() -> None:
        (tmp_path / "spool").touch()  # where the directory should be
        spool = spool_in(tmp_path)
        await spool.open()
        assert spool.trouble == "the spool of this collector does not work (File exists)"
        assert spool.drained, "the straight way is open all the same"
        await refused_write(spool, 1)
        (tmp_path / "spool").unlink()
        await spool.add([([item("a")], [])])
        assert await names_in(spool) == ["a"]
        await spool.close()

    asyncio.run(act())
    assert "nothing can be kept in" in caplog.text


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "sealed"
    directory.mkdir()
    if os.geteuid() == 0:  # whom modes do not stop
        subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", directory], check=True)
    else:
        directory.chmod(0o500)
    yield directory
    if os.geteuid() == 0:
        subprocess.run(["umount", directory], check=True)


def test_a_directory_that_may_not_be_written_to_is_no_false_yes(read_only: Path) -> None:
    async def act() -> None:
        spool = spool_in(read_only)
        await spool.open()
        assert "the spool of this collector does not work" in await refused_write(spool, 1)
        await spool.close()

    asyncio.run(act())


WRITER = """
import pathlib, sys
from collector.spool.shelf import Shelf
from tests.collector.appending import item
shelf = Shelf(pathlib.Path(sys.argv[1]), most_bytes=1 << 24)
for number in range(1_000_000):
    shelf.add([([item(f"m{number}", size=300), item(f"n{number}")], [])], 1.0)
    print(number, flush=True)
"""


def test_whoever_is_killed_while_writing_has_kept_all_that_was_said_to_be_kept(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path / "spool")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as writer:
        assert writer.stdout is not None
        said = next(number for line in writer.stdout if (number := int(line)) >= 200)
        writer.kill()
        rest = writer.stdout.read().split()
    said = int(rest[-1]) if rest else said
    shelf = shelf_in(tmp_path)
    shelf.open()
    names = [body.decode().strip() for body in brought(shelf)]
    expected = [f"{letter}{number}" for number in range(len(names) // 2) for letter in "mn"]
    assert names == expected, "in order, and no request in part"
    assert len(names) >= 2 * (said + 1)


def test_looking_on_disturbs_nobody(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path)
    shelf.add([([item("a")], [])], NOON)
    before = read_status(tmp_path)
    shelf.add([([item("b")], [])], NOON)
    assert (before.messages, read_status(tmp_path).messages) == (1, 2)
    assert brought(shelf) == [b"a", b"b"]
