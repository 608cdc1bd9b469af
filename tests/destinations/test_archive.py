"""Every message is in the archive once, whatever was repeated, torn or full."""

import datetime
import os
import resource
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from destinations.archive.index import Covered, Frame, Item, frames, lines
from destinations.archive.layout import ordinal
from destinations.archive.reader import bodies
from destinations.builtin.archive import Archive
from destinations.outcome import Deferred, Delivered, Rejected
from destinations.registry import make
from schemas.envelope import Envelope
from tests.destinations.messages import envelope, envelopes

HOUR = Path("web/2024-05-06/07")
DAY = datetime.datetime(2024, 5, 6, tzinfo=datetime.UTC)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "archive"


def archive(root: Path, **table: Any) -> Archive:
    made = make("archive", "archive", {"dir": str(root)} | table, place="turnout.toml [destinations.archive]")
    assert isinstance(made, Archive)
    return made


def soon() -> float:
    return time.monotonic() + 30


def keep(destination: Archive, batch: list[Envelope]) -> None:
    assert destination.deliver(batch, soon()) == [Delivered()] * len(batch)


def kept(root: Path, source: str = "web") -> list[bytes]:
    return list(bodies(root, source, DAY, DAY + datetime.timedelta(days=1)))


def of(batch: list[Envelope]) -> list[bytes]:
    return [one.body for one in batch]


def test_messages_come_back_as_they_were(root: Path) -> None:
    batch = envelopes(100)
    keep(archive(root), batch)
    assert kept(root) == of(batch)


def test_each_source_hour_and_lane_has_a_file(root: Path) -> None:
    late = "2024-05-07T00:00:00.000Z"
    batch = [envelope(0), envelope(1, source="ios"), envelope(2, received_at=late), envelope(3, lane="p08")]
    keep(archive(root), batch)
    assert sorted(str(path.relative_to(root)) for path in root.rglob("*.zst")) == [
        "ios/2024-05-06/07/p07.jsonl.zst",
        "web/2024-05-06/07/p07.jsonl.zst",
        "web/2024-05-06/07/p08.jsonl.zst",
        "web/2024-05-07/00/p07.jsonl.zst",
    ]


def test_a_repeated_batch_is_there_once(root: Path) -> None:
    batch = envelopes(20)
    keep(archive(root), batch[:12])
    keep(archive(root), batch[5:])
    keep(archive(root), batch)
    assert kept(root) == of(batch)


def test_positions_are_compared_as_numbers(root: Path) -> None:
    positions = ["999-0/0", "1000-2/9", "1000-2/10", "1000-10/0"]
    batch = [envelope(number, position=position) for number, position in enumerate(positions)]
    destination = archive(root)
    for one in batch:
        keep(destination, [one])
    assert kept(root) == of(batch)


def test_what_was_put_off_is_written_after_its_successors(root: Path) -> None:
    batch = envelopes(10)
    destination = archive(root)
    keep(destination, batch[5:])
    keep(destination, batch)
    keep(archive(root), batch)
    assert kept(root) == of(batch[5:] + batch[:5])


@given(
    st.lists(
        st.lists(st.integers(0, 30), unique=True, min_size=1).map(sorted),
        max_size=6,
    )
)
def test_whole_stretches_in_any_order_are_each_written_once(stretches: list[list[int]]) -> None:
    """A batch is every message from its first to its last."""
    covered, restored = Covered(), Covered()
    written: list[int] = []
    for stretch in stretches:
        items = [Item(f"1-{number}/0", b"") for number in range(stretch[0], stretch[-1] + 1)]
        for run in covered.runs(items):
            written += [ordinal(item.position)[1] for item in run]
            restored.add(ordinal(run[0].position), ordinal(run[-1].position))
        assert not restored.runs(items)
    assert sorted(written) == sorted({n for stretch in stretches for n in range(stretch[0], stretch[-1] + 1)})


def test_a_batch_that_is_out_of_order_is_written_whole(root: Path) -> None:
    batch = envelopes(6)
    keep(archive(root), batch[3:] + batch[:3])
    keep(archive(root), batch)
    assert sorted(kept(root)) == sorted(of(batch))


def test_data_that_no_index_vouches_for_is_cut_off(root: Path) -> None:
    batch = envelopes(10)
    keep(archive(root), batch[:5])
    with (root / HOUR / "p07.jsonl.zst").open("ab") as data:
        data.write(b"half a frame that a crash left")
    assert kept(root) == of(batch[:5])
    keep(archive(root), batch)
    assert kept(root) == of(batch)


def test_a_torn_line_of_the_index_does_not_count(root: Path) -> None:
    batch = envelopes(10)
    keep(archive(root), batch[:5])
    index = root / HOUR / "p07.index"
    whole = index.read_bytes()
    keep(archive(root), batch[5:])
    index.write_bytes(index.read_bytes()[: len(whole) + 20])
    assert kept(root) == of(batch[:5])
    keep(archive(root), batch)
    assert kept(root) == of(batch)


def test_a_line_that_another_process_added_is_noticed(root: Path) -> None:
    batch = envelopes(9)
    one, other = archive(root), archive(root)
    keep(one, batch[:3])
    keep(other, batch[:6])
    keep(one, batch)
    assert kept(root) == of(batch)


def test_data_without_its_index_is_never_overwritten(root: Path) -> None:
    batch = envelopes(5)
    keep(archive(root), batch)
    (root / HOUR / "p07.index").unlink()
    for _ in range(2):
        outcomes = archive(root).deliver(batch, soon())
        assert all(isinstance(one, Deferred) and "has no index" in one.reason for one in outcomes)


def test_data_shorter_than_its_index_says_is_told(root: Path) -> None:
    batch = envelopes(5)
    keep(archive(root), batch[:4])
    os.truncate(root / HOUR / "p07.jsonl.zst", 10)
    outcomes = archive(root).deliver(batch, soon())
    assert all(isinstance(one, Deferred) and "shorter than its index" in one.reason for one in outcomes)


def test_a_damaged_index_is_told(root: Path) -> None:
    keep(archive(root), envelopes(2))
    (root / HOUR / "p07.index").write_bytes(b"garbage\n")
    outcomes = archive(root).deliver(envelopes(3), soon())
    assert all(isinstance(one, Deferred) and "a line that is not one" in one.reason for one in outcomes)


@pytest.mark.parametrize("room", [0, 100, 2_000])
def test_a_full_disk_defers_and_the_next_try_is_whole(root: Path, room: int) -> None:
    """A limit on the size of files stands in for a disk that is full."""
    batch = [envelope(number, properties={"pad": os.urandom(300).hex()}) for number in range(20)]
    destination = archive(root)
    keep(destination, batch[:10])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = (root / HOUR / "p07.jsonl.zst").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + room, hard))
    try:
        outcomes = destination.deliver(batch, soon())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert all(isinstance(one, Deferred) for one in outcomes)
    assert kept(root) == of(batch[:10])
    keep(destination, batch)
    assert kept(root) == of(batch)


def test_trouble_with_one_file_is_not_the_others(root: Path) -> None:
    (root / "web").mkdir(parents=True)
    (root / "web" / "2024-05-06").write_text("in the way")
    batch = [envelope(0), envelope(1, source="ios")]
    outcomes = archive(root).deliver(batch, soon())
    assert isinstance(outcomes[0], Deferred)
    assert outcomes[1] == Delivered()


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "a\\b", "%2e%2e", "a\0b", "a" * 65, "é", "a b", "CON:"])
def test_a_name_never_leads_out_of_the_archive(root: Path, name: str) -> None:
    outcomes = archive(root).deliver([envelope(0, source=name), envelope(1, lane=name)], soon())
    assert all(isinstance(one, Deferred) for one in outcomes)
    assert not root.exists()


def test_a_received_time_that_is_none_is_refused(root: Path) -> None:
    outcomes = archive(root).deliver([envelope(0, received_at="../../../etc/x")], soon())
    assert isinstance(outcomes[0], Rejected)


def test_a_symbolic_link_out_of_the_archive_is_not_followed(root: Path, tmp_path: Path) -> None:
    root.mkdir()
    (tmp_path / "outside").mkdir()
    (root / "web").symlink_to(tmp_path / "outside")
    (outcome,) = archive(root).deliver(envelopes(1), soon())
    assert isinstance(outcome, Deferred)
    assert not list((tmp_path / "outside").rglob("*.zst"))


def test_the_archive_is_for_its_owner_alone(root: Path) -> None:
    keep(archive(root), envelopes(1))
    for path in [root, *root.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_nothing_is_begun_after_the_deadline(root: Path) -> None:
    assert archive(root).deliver(envelopes(2), time.monotonic()) == [Deferred("no time left", 0.0)] * 2


def test_reading_stops_at_the_millisecond(root: Path) -> None:
    times = ["07:59:59.999", "08:00:00.000", "08:30:00.000", "09:00:00.000", "09:00:00.001"]
    batch = [envelope(n, received_at=f"2024-05-06T{time}Z") for n, time in enumerate(times)]
    keep(archive(root), batch)
    eight, nine = DAY.replace(hour=8), DAY.replace(hour=9)
    assert list(bodies(root, "web", eight, nine)) == of(batch[1:3])
    assert list(bodies(root, "web", nine, nine.replace(microsecond=1_000))) == of(batch[3:4])
    assert list(bodies(root, "none", eight, nine)) == []


@pytest.mark.skipif(shutil.which("zstdcat") is None, reason="zstdcat is not installed")
def test_zstdcat_reads_the_files(root: Path) -> None:
    batch = envelopes(30)
    destination = archive(root)
    keep(destination, batch[:10])
    keep(destination, batch[10:])
    files = sorted((root / HOUR).glob("*.jsonl.zst"))
    shown = subprocess.run(["zstdcat", *map(str, files)], capture_output=True, check=True).stdout
    assert shown.splitlines() == of(batch)


def test_the_index_is_read_as_it_is_written() -> None:
    some = [Frame(0, 10, "1-0/0", "1-0/5", 6), Frame(10, 7, "1-1/0", "1-1/0", 1)]
    assert frames(lines(some)) == (some, len(lines(some)))
    assert frames(lines(some)[:-1]) == (some[:1], len(lines(some[:1])))


def test_checking_makes_nothing(root: Path) -> None:
    assert archive(root).check() is None
    assert not root.exists()


def test_a_position_of_another_form_defers_and_does_no_harm(root: Path) -> None:
    batch = envelopes(4)
    destination = archive(root)
    (*_, odd) = destination.deliver([*batch, envelope(9, position="odd")], soon())
    assert isinstance(odd, Deferred)
    keep(destination, batch)
    assert kept(root) == of(batch)


WRITER = """
import sys, time
from pathlib import Path
from tests.destinations.test_archive import archive, envelopes

destination, batch = archive(Path(sys.argv[1])), envelopes(2_000)
for start in range(0, 2_000, 10):
    destination.deliver(batch[: start + 10], time.monotonic() + 60)
    print(start + 10, flush=True)
"""


@pytest.mark.kill
def test_a_writer_that_is_killed_has_kept_what_it_said(root: Path) -> None:
    batch = envelopes(2_000)
    for _ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(root)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        said = [int(writer.stdout.readline()) for _ in range(20)][-1]
        writer.kill()
        writer.communicate()
        found = kept(root)
        assert found == of(batch[: len(found)])
        assert len(found) >= said
    keep(archive(root), batch)
    assert kept(root) == of(batch)
