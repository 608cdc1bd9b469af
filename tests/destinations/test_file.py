"""The file is whole lines of JSON, whoever writes to it and whatever went wrong before."""

import multiprocessing
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from destinations.builtin.file import File, append_lines
from destinations.errors import SettingsError
from destinations.outcome import Deferred, Delivered
from destinations.registry import make
from tests.destinations.messages import envelope, envelopes


def file(path: Path, **table: Any) -> File:
    made = make("file", "file", {"path": str(path)} | table, place="turnout.toml [destinations.file]")
    assert isinstance(made, File)
    return made


def soon() -> float:
    return time.monotonic() + 30


def test_messages_are_lines_as_they_were_stored(tmp_path: Path) -> None:
    batch = envelopes(3)
    assert file(tmp_path / "out.jsonl").deliver(batch, soon()) == [Delivered()] * 3
    assert (tmp_path / "out.jsonl").read_bytes() == b"".join(one.body + b"\n" for one in batch)


def test_sources_have_files_of_their_own(tmp_path: Path) -> None:
    batch = [envelope(0, source="web"), envelope(1, source="ios"), envelope(2, source="web")]
    assert file(tmp_path / "{source}" / "out.jsonl").deliver(batch, soon()) == [Delivered()] * 3
    assert (tmp_path / "web" / "out.jsonl").read_bytes().count(b"\n") == 2
    assert (tmp_path / "ios" / "out.jsonl").read_bytes().count(b"\n") == 1


def test_a_source_never_leads_out_of_the_directory(tmp_path: Path) -> None:
    (outcome,) = file(tmp_path / "{source}.jsonl").deliver([envelope(0, source="../../etc/x")], soon())
    assert outcome == Deferred("the name of the source cannot be part of a path")


@pytest.mark.parametrize("path", ["{event}.jsonl", "{source", "a}b", "", "dir/", "a\0b", 5])
def test_a_path_depends_on_nothing_but_the_source(path: object) -> None:
    with pytest.raises(SettingsError):
        make("file", "file", {"path": path}, place="turnout.toml [destinations.file]")


def test_half_a_line_left_by_a_crash_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(b'{"n":1}\n{"n":2,"text":"ab')
    append_lines(path, b'{"n":2,"text":"abc"}\n', fsync=True)
    assert path.read_bytes() == b'{"n":1}\n{"n":2,"text":"abc"}\n'


def test_a_whole_line_without_its_end_is_finished(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(b'{"n":1}\n{"n":2}')
    append_lines(path, b'{"n":3}\n', fsync=False)
    assert path.read_bytes() == b'{"n":1}\n{"n":2}\n{"n":3}\n'


@pytest.mark.parametrize("length", [10, 65_535, 65_536, 200_000])
def test_a_torn_line_of_any_length_is_cut_off(tmp_path: Path, length: int) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(b'{"n":1}\n{"n":"' + b"x" * length)
    append_lines(path, b'{"n":2}\n', fsync=False)
    assert path.read_bytes() == b'{"n":1}\n{"n":2}\n'


def _write(path: str, writer: int) -> None:
    destination = file(Path(path), fsync=False)
    for number in range(30):
        batch = [envelope(number, user=f"w{writer}", properties={"pad": "x" * 5_000}) for _ in range(10)]
        assert destination.deliver(batch, soon()) == [Delivered()] * 10


def test_processes_that_write_at_the_same_time_do_not_interleave(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    writers = [multiprocessing.get_context("spawn").Process(target=_write, args=(str(path), n)) for n in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    users = [line.split(b'"userId":"')[1][:2] for line in path.read_bytes().splitlines()]
    assert len(users) == 900
    assert all(len(set(users[start : start + 10])) == 1 for start in range(0, 900, 10))


def test_a_full_disk_defers_and_leaves_no_half_line() -> None:
    (outcome,) = file(Path("/dev/full")).deliver(envelopes(1), soon())
    assert isinstance(outcome, Deferred)


def test_a_directory_in_the_way_defers(tmp_path: Path) -> None:
    assert (
        file(tmp_path).deliver(envelopes(2), soon())
        == [Deferred(f"{tmp_path}: Is a directory", scope="destination")] * 2
    )


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (outcome,) = file(tmp_path / "link").deliver(envelopes(1), soon())
    assert isinstance(outcome, Deferred)
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_that_was_moved_away_is_begun_again(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    destination = file(path)
    destination.deliver(envelopes(1), soon())
    path.rename(tmp_path / "out.jsonl.1")
    destination.deliver(envelopes(2), soon())
    assert path.read_bytes().count(b"\n") == 2


def test_what_is_made_is_for_its_owner_alone(tmp_path: Path) -> None:
    file(tmp_path / "a" / "out.jsonl").deliver(envelopes(1), soon())
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "a" / "out.jsonl").stat().st_mode) == 0o600


def test_checking_tells_what_is_in_the_way(tmp_path: Path) -> None:
    assert file(tmp_path / "new" / "out.jsonl").check() is None
    assert not (tmp_path / "new").exists()
    assert file(tmp_path).check() == f"{tmp_path} is a directory"
