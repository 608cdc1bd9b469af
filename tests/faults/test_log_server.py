"""F08 to F18: the log server is killed, frozen, starved, cut off and shown to a full disk."""

import contextlib
import random
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
import redis

from tests.faults.disks import image, image_at, mountable, small_disk
from tests.faults.lasting import lasts
from tests.faults.report import Row
from tests.faults.scale import Scale
from tests.faults.servers import ValkeyServer
from tests.faults.town import own_town
from tests.faults.trial import IN_HAND, Trial
from tests.running import Role
from tests.waiting import eventually
from tests.worker.rig import append, terms
from worker import keys

NEEDS_ROOT = pytest.mark.skipif(not mountable(), reason="mounting a disk needs root")
MEGABYTE = 1 << 20


@pytest.mark.scenario("F08")
def test_a_killed_log_server_has_what_was_acknowledged(trial: Trial, scale: Scale) -> None:
    rounds = scale.of(1, 10)
    with trial.load(pause=0.1) as ledger:
        for _ in range(rounds):
            ledger.grows_by(100)
            trial.town.log.kill()
            lasts(scale.seconds(0.3, 1))
            trial.town.log.start()
            trial.over()
    assert set(ledger.answers) == {200}, "clients noticed"
    trial.prove(repeats=rounds * IN_HAND)


@NEEDS_ROOT
@pytest.mark.scenario("F09")
def test_after_a_power_cut_everything_acknowledged_is_on_the_disk(
    tmp_path: Path, scale: Scale, tell: Callable[[Row], None]
) -> None:
    with image(tmp_path / "disk.img", 64) as disk, ValkeyServer(disk.path / "log") as server:
        acknowledged = posted_until(server, scale.of(300, 5_000))
        with server.frozen():
            disk.copy_to(tmp_path / "copy.img")
    with image_at(tmp_path / "copy.img") as copy, ValkeyServer(copy.path / "log") as server:
        lost = set(acknowledged) - set(stored(server))
    tell(Row("F09", "power cut at the log server", len(acknowledged), len(lost), 0, 0, None))
    assert not lost


@pytest.mark.soak
@pytest.mark.scenario("F10")
def test_a_slow_disk_makes_slow_answers_and_no_loss(trial: Trial, scale: Scale) -> None:
    if not shutil.which("strace"):
        pytest.skip("a slow disk is made with strace, which is not here")
    with trial.load() as ledger:
        ledger.grows_by(40)
        with slow_disk(trial.town.log.pid):
            lasts(scale.seconds(2, 20))
            trial.town.log.kill()
        trial.town.log.start()
        trial.over()
    trial.prove(repeats=2 * IN_HAND)


@pytest.mark.scenario("F11")
def test_a_log_server_that_stands_still_doubles_nothing(trial: Trial, scale: Scale) -> None:
    for seconds in [2.5, 30.0][: scale.of(1, 2)]:
        with trial.load() as ledger:
            ledger.grows_by(40)
            with trial.town.log.frozen():
                lasts(seconds)
            trial.over()
        assert set(ledger.answers) == {200}, "clients noticed"
        trial.prove(repeats=IN_HAND)


@pytest.mark.scenario("F12")
def test_a_log_out_of_memory_is_still_emptied(trial: Trial, scale: Scale) -> None:
    log = trial.town.log
    with trial.load() as ledger:
        for _ in range(scale.of(1, 5)):
            ledger.grows_by(100)
            log.set(maxmemory=MEGABYTE)  # less than it uses
            try:
                eventually(lambda: not trial.town.unsettled(), within=30, what="the full log was emptied")
                lasts(scale.seconds(0.5, 10))
            finally:
                log.set(maxmemory=0)
            trial.over()
    assert set(ledger.answers) == {200}, "clients noticed"
    trial.prove()


@pytest.mark.soak
@NEEDS_ROOT
@pytest.mark.scenario("F13")
def test_a_full_disk_ends_the_log_server_and_loses_nothing(
    tmp_path: Path, scale: Scale, tell: Callable[[Row], None]
) -> None:
    with small_disk(tmp_path / "disk", megabytes=8) as disk, own_town(tmp_path, log=disk.path / "log") as town:
        trial = Trial("F13", town, tell)
        with trial.load() as ledger:
            ledger.grows_by(40)
            disk.fill()
            eventually(lambda: not town.log.running(), within=30, what="the server ended on the full disk")
            lasts(scale.seconds(0.5, 10))
            disk.grow(64)
            town.log.start()
            trial.over()
        trial.prove(repeats=IN_HAND)


@pytest.mark.scenario("F14")
def test_a_log_that_became_read_only_is_waited_for(trial: Trial, scale: Scale) -> None:
    client = trial.town.log.client
    with trial.load(pause=0.1) as ledger:
        ledger.grows_by(40)
        client.replicaof("127.0.0.1", "9")
        lasts(scale.seconds(1, 10))
        client.replicaof("NO", "ONE")
        trial.over()
    assert set(ledger.answers) == {200}, "clients noticed"
    trial.prove(repeats=IN_HAND)


@pytest.mark.soak
@pytest.mark.scenario("F15")
def test_a_replica_that_takes_over_has_what_was_acknowledged(
    tmp_path: Path, scale: Scale, tell: Callable[[Row], None]
) -> None:
    with own_town(tmp_path, log_settings='durability = "replica"') as town:
        following = {"replicaof": f"127.0.0.1 {town.log.port}", "repl-diskless-sync-delay": "0"}
        with ValkeyServer(tmp_path / "replica", following) as replica:
            eventually(lambda: link_of(replica) == b"up", what="the replica followed")
            trial = Trial("F15", town, tell)
            with trial.load() as ledger:
                ledger.grows_by(200)
                town.log.kill()
                lasts(scale.seconds(0.5, 5))
                replica.client.replicaof("NO", "ONE")
                # Nobody follows it now: from here on a replica could not confirm.
                with ValkeyServer(tmp_path / "next", {"replicaof": f"127.0.0.1 {replica.port}"}):
                    town.log = replica
                    town.proxy.lead_to(replica.port)
                    trial.over()
            trial.prove(repeats=IN_HAND)


@pytest.mark.scenario("F16")
def test_while_the_log_loads_its_files_it_is_waited_for(trial: Trial, scale: Scale) -> None:
    log = trial.town.log
    with trial.load(pause=0.2) as ledger:
        ledger.grows_by(100)
        log.kill()
        with log.loading_slowly(scale.of(10, 200)):
            log.launch()
            eventually(lambda: log.loading() or log.answers(), what="the server began to load")
        eventually(log.answers, within=120, what="the server had loaded its file")
        trial.over()
    assert set(ledger.answers) == {200}, "clients noticed"
    trial.prove(repeats=IN_HAND)


@pytest.mark.scenario("F17")
def test_a_file_cut_short_has_each_batch_whole_or_not_at_all(
    tmp_path: Path, scale: Scale, tell: Callable[[Row], None]
) -> None:
    chance, sent = random.Random(17), list[str]()
    for number in range(scale.of(3, 40)):
        with ValkeyServer(tmp_path / f"log{number}") as server:
            sent = posted_until(server, 200)
            server.kill()
            cut_short(server.appended, chance.randint(1, 2_000))
            server.start()
            assert batches_are_whole(server)
            again = terms("hook")
            for batch in batches(sent):
                append(server.client, again, *batch)
            assert sorted(stored(server)) == sorted(sent), "what was cut off came in again, and nothing else did"
    tell(Row("F17", "append-only file cut short", len(sent), 0, 0, 0, None))


@pytest.mark.scenario("F18")
def test_answers_cut_short_double_nothing_in_the_log(trial: Trial, scale: Scale) -> None:
    chance, proxy = random.Random(18), trial.town.proxy
    rounds = scale.of(4, 200)
    with trial.load(pause=0.1) as ledger:
        for _ in range(rounds):
            ledger.grows_by(20)
            cuts = proxy.cuts
            proxy.cut_after(chance.randint(0, 400))
            eventually(lambda cuts=cuts: proxy.cuts > cuts, what="an answer was cut")  # type: ignore[misc]
        trial.over()
    trial.prove(repeats=rounds * IN_HAND)


@pytest.mark.scenario("F19")
def test_lost_groups_come_back_with_the_next_collector(trial: Trial) -> None:
    town, client = trial.town, trial.town.log.client
    with trial.load() as ledger:
        ledger.grows_by(40)
    trial.prove()
    town.spoilt = True  # what is delivered again is counted again
    for stream in client.scan_iter("*:log:web"):
        client.xgroup_destroy(stream, "hook")
    town.turnout.back(town.turnout.kill(Role.COLLECTOR))
    again = Trial("F19", town, lambda row: None)
    with again.load() as ledger:
        ledger.grows_by(40)
        again.over()


# how it is done


def posted_until(server: ValkeyServer, count: int) -> list[str]:
    """Names of the messages that the log has acknowledged, in batches of ten."""
    client, about = server.client, terms("hook")
    names = [f"m{number:05d}" for number in range(count)]
    for batch in batches(names):
        append(client, about, *batch)
    return names


def batches(names: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), 10):
        yield names[start : start + 10]


def stored(server: ValkeyServer) -> list[str]:
    """The message ids in partition 0."""
    found = cast("list[tuple[bytes, dict[bytes, bytes]]]", server.client.xrange(keys.log(0, "web")))
    return [line.split(b'"messageId":"')[1].split(b'"')[0].decode() for _, fields in found for line in lines(fields)]


def lines(fields: dict[bytes, bytes]) -> list[bytes]:
    return fields[b"m"].split(b"\n")


def batches_are_whole(server: ValkeyServer) -> bool:
    """Ten messages of ten each, and as many remembered ids as messages."""
    found = stored(server)
    remembered = int(server.client.scard(keys.seen_new(0)))
    return len(found) % 10 == 0 and remembered == len(found)


def cut_short(file: Path, size: int) -> None:
    with file.open("r+b") as opened:
        opened.truncate(max(0, file.stat().st_size - size))


def link_of(replica: ValkeyServer) -> object:
    with contextlib.suppress(redis.RedisError):
        return str(replica.client.info("replication").get("master_link_status")).encode()
    return None


@contextlib.contextmanager
def slow_disk(pid: int) -> Iterator[None]:
    """Each sync of the process takes 600 ms longer."""
    words = ["strace", "-f", "-q", "-o", "/dev/null", "-e", "trace=fdatasync,fsync"]
    words += ["-e", "inject=fdatasync,fsync:delay_exit=600000", "-p", str(pid)]
    tracer = subprocess.Popen(words)
    try:
        yield
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
