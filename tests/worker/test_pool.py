"""The parent of the worker processes, with real workers, real servers and a real file to deliver to."""

import logging
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
import redis
import rq

from destinations.outcome import Delivered, Outcome
from destinations.settings import Duration
from schemas.envelope import Envelope
from tests.processes import alive, children
from tests.waiting import eventually
from tests.worker.rig import Scripted, append, body, exit_code, forked, run, terms
from worker import beats, child, jobs, keys, pool, scripts, team
from worker.appending import append_call
from worker.config import Config, DestinationTable, LogSettings, RqSettings, ServerUrl, Source, WorkerSettings
from worker.embedded import Server, rq_server
from worker.log import Log
from worker.pool import Pool
from worker.slot import Slot
from worker.team import Role

HOOK = terms("hook")


@pytest.fixture
def config(log_process: Server, rq_process: Server, tmp_path: Path) -> Config:
    return Config(
        data=tmp_path,
        log=LogSettings(url=ServerUrl(log_process.url), partitions=1),
        rq=RqSettings(url=ServerUrl(rq_process.url)),
        worker=WorkerSettings(processes=1),
        sources={"web": Source(destinations=("hook",))},
        destinations={"hook": DestinationTable(type="file", settings={"path": str(tmp_path / "out.jsonl")})},
    )


@pytest.fixture
def delivered(tmp_path: Path) -> Callable[[], list[str]]:
    def names() -> list[str]:
        path = tmp_path / "out.jsonl"
        lines = path.read_bytes().splitlines() if path.exists() else []
        return [msgspec.json.decode(line)["messageId"] for line in lines]

    return names


def owners(client: redis.Redis) -> list[str]:
    """The names under which workers are known to RQ."""
    return [worker.name for worker in rq.Worker.all(connection=client)]


def only(work: Callable[[str, Slot], None]) -> pool.Roles:
    """A pool with one kind of child process, which does this."""
    return lambda config: [Role("worker", config.worker.processes, work)]


def workers_of(client: redis.Redis) -> list[int]:
    """The process ids of the workers that are at work."""
    return [beat.pid for beat in beats.read(client) if beat.role == child.ROLE]


def accounts(client: redis.Redis, partition: int = 0) -> dict[str, int]:
    found = cast("dict[bytes, bytes]", client.hgetall(keys.count(partition, "web")))
    return {name.decode(): int(value) for name, value in found.items()}


def told(tmp_path: Path) -> str:
    """What a pool that was given `tmp_path / "told"` has said."""
    return (tmp_path / "told").read_text()


def work_on(config: Config, tell: Path | None = None, **options: Any) -> None:
    if tell is not None:
        logging.basicConfig(filename=tell, force=True)
    os._exit(Pool(config, **options).run())


@contextmanager
def working(config: Config, **options: Any) -> Iterator[int]:
    """A pool at work; when it is done with, its workers are gone too."""
    with forked(lambda: work_on(config, **options)) as pid:
        workers = eventually(lambda: [one.pid for one in children(pid)], what="a worker was started")
        try:
            yield pid
        finally:
            workers = [one.pid for one in children(pid)] or workers
            for worker in filter(alive, workers):
                os.kill(worker, signal.SIGKILL)


def test_what_nobody_was_nudged_for_is_delivered(
    config: Config, log_client: redis.Redis, rq_client: redis.Redis, delivered: Callable[[], list[str]]
) -> None:
    append(log_client, HOOK, "a", "b")
    log_client.delete(keys.armed(0, "hook"))
    with working(config):
        eventually(lambda: delivered() == ["a", "b"])


def test_a_wiped_rq_server_loses_nothing(
    config: Config, log_client: redis.Redis, rq_client: redis.Redis, delivered: Callable[[], list[str]]
) -> None:
    queue = jobs.queue_on(rq_client)
    with working(config):
        for round_number in range(3):
            names = [f"m{round_number}-{number}" for number in range(5)]
            append(log_client, HOOK, *names)
            jobs.enqueue(queue, 0, "hook")
            rq_client.flushall()
            eventually(lambda: delivered()[-5:] == names)  # noqa: B023  called before the next round
    assert len(delivered()) == 15


def test_a_killed_worker_is_replaced_and_its_lease_is_freed(
    config: Config, log_client: redis.Redis, rq_client: redis.Redis, delivered: Callable[[], list[str]]
) -> None:
    with working(config) as pid:
        (worker,) = eventually(lambda: workers_of(log_client))
        (owner,) = eventually(lambda: [name for name in owners(rq_client) if name.endswith(f".{worker}")])
        Log(log_client, lease_ms=600_000).acquire(0, "hook", owner)
        append(log_client, HOOK, "a")
        os.kill(worker, signal.SIGKILL)
        eventually(lambda: delivered() == ["a"])
        assert worker not in [one.pid for one in children(pid)]


def test_a_pool_that_is_asked_to_stop_takes_its_workers_along(
    config: Config, log_client: redis.Redis, rq_client: redis.Redis
) -> None:
    with working(config) as pid:
        workers = children(pid)
        os.kill(pid, signal.SIGTERM)
        assert exit_code(pid) == 0
        assert not any(alive(one.pid) for one in workers)


def test_a_worker_that_has_not_begun_to_listen_stops_too(config: Config, tmp_path: Path) -> None:
    """A signal may come between the fork and the moment at which RQ takes signals."""

    def not_yet(_owner: str, _slot: Slot) -> None:
        (tmp_path / "forked").touch()
        signal.pause()
        signal.pause()

    with forked(lambda: os._exit(Pool(config, only(not_yet)).run())) as pid:
        eventually((tmp_path / "forked").exists)
        begun = time.monotonic()
        os.kill(pid, signal.SIGTERM)
        assert exit_code(pid) == 0
        assert time.monotonic() - begun < pool.STOP_WITHIN / 2


def test_workers_that_die_at_once_are_started_less_and_less_often(config: Config, tmp_path: Path) -> None:
    starts = tmp_path / "starts"

    def die(_owner: str, _slot: Slot) -> None:
        with starts.open("a") as lines:
            lines.write(f"{time.monotonic()}\n")

    def times() -> list[float]:
        return [float(line) for line in starts.read_text().split()] if starts.exists() else []

    with forked(lambda: os._exit(Pool(config, only(die)).run())):
        first, second, third = eventually(lambda: times() if len(times()) == 3 else None) or [0.0] * 3
    assert second - first >= 0.5
    assert third - second >= 1.0


def test_a_log_of_another_number_of_partitions_is_not_worked_on(
    config: Config, log_client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    log_client.hset(keys.SETTINGS, "partitions", 8)
    assert pool.run(config) == 1
    assert "8 partitions and the configuration says 1" in caplog.text


def test_what_every_destination_has_is_trimmed(config: Config, log_client: redis.Redis) -> None:
    append(log_client, HOOK, "a", "b")
    log_client.xreadgroup("hook", keys.CONSUMER, {keys.log(0, "web"): ">"}, noack=True)
    Pool(config)._trim()
    assert log_client.xlen(keys.log(0, "web")) == 0


def test_a_worker_opens_only_the_destinations_that_some_source_asks_for(config: Config) -> None:
    spare = DestinationTable(type="file", settings={"path": "/nowhere"})
    wider = msgspec.structs.replace(config, destinations={**config.destinations, "spare": spare})
    assert list(child.open_destinations(wider)) == ["hook"]


def test_a_worker_of_another_pool_with_the_same_process_id_has_another_name(config: Config) -> None:
    pools = [Pool(config) for _ in range(2)]
    assert pools[0]._family != pools[1]._family


# who hangs


def stuck_in(path: Path) -> Scripted:
    """A destination that blocks for ever, the first time: then the file is there."""

    def answer(batch: Sequence[Envelope]) -> Sequence[Outcome]:
        if not path.exists():
            path.touch()
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
            threading.Event().wait()
        return [Delivered()] * len(batch)

    return Scripted(answer)


def test_a_worker_that_is_stuck_in_a_destination_is_killed_and_replaced(
    config: Config,
    log_client: redis.Redis,
    rq_client: redis.Redis,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(child, "STUCK_AFTER_LEASES", 0.02)

    def work(name: str, slot: Slot) -> None:
        child.deliver(config, name, slot, {"hook": stuck_in(tmp_path / "stuck")})

    append(log_client, HOOK, "a")
    with working(config, roles=only(work), silent_after=1.5, tell=tmp_path / "told"):
        eventually(lambda: accounts(log_client).get("delivered:hook") == 1)
    assert "no sign of life" in told(tmp_path)
    assert "(busy with hook)" in told(tmp_path)


def test_a_worker_that_was_stopped_by_a_signal_is_killed_and_what_it_held_goes_on(
    config: Config, log_client: redis.Redis, rq_client: redis.Redis, delivered: Callable[[], list[str]]
) -> None:
    with working(config, silent_after=1.5) as pid:
        (worker,) = eventually(lambda: workers_of(log_client))
        (owner,) = eventually(lambda: [name for name in owners(rq_client) if name.endswith(f".{worker}")])
        os.kill(worker, signal.SIGSTOP)
        Log(log_client, lease_ms=600_000).acquire(0, "hook", owner)
        append(log_client, HOOK, "a")
        eventually(lambda: delivered() == ["a"])
        assert worker not in [one.pid for one in children(pid)]


def test_a_destination_that_hangs_delays_no_other(
    config: Config, log_client: redis.Redis, rq_client: redis.Redis, tmp_path: Path
) -> None:
    both = terms("hook", "file")
    wider = msgspec.structs.replace(config, sources={"web": Source(destinations=("hook", "file"))})
    wider.destinations["file"] = DestinationTable(type="console")

    def work(name: str, slot: Slot) -> None:
        child.deliver(wider, name, slot, {"hook": stuck_in(tmp_path / "stuck"), "file": Scripted(name="file")})

    with working(wider, roles=only(work)):
        append(log_client, both, "a")
        eventually((tmp_path / "stuck").exists)
        begun = time.monotonic()
        for number in range(2):
            append(log_client, both, f"b{number}")
            eventually(lambda: accounts(log_client).get("delivered:file") == number + 2)  # noqa: B023  called at once
        assert time.monotonic() - begun < 10
        assert "delivered:hook" not in accounts(log_client)


def test_two_workers_share_the_partitions_of_one_busy_destination(
    config: Config, log_client: redis.Redis, rq_client: redis.Redis, tmp_path: Path
) -> None:
    several = msgspec.structs.replace(
        config,
        log=msgspec.structs.replace(config.log, partitions=4),
        worker=WorkerSettings(processes=2, budget=Duration(0.05)),
    )
    for partition in range(4):
        for number in range(40):
            called, arguments = append_call(
                HOOK,
                partition,
                "web",
                [keys.digest_of("web", f"{partition}-{number}")],
                [body(f"{partition}-{number}")],
            )
            run(log_client, scripts.APPEND, called, arguments)

    def work(name: str, slot: Slot) -> None:
        def answer(batch: Sequence[Envelope]) -> Sequence[Outcome]:
            with (tmp_path / "who").open("a") as lines:
                lines.write(f"{os.getpid()}\n")
            threading.Event().wait(0.02)
            return [Delivered()] * len(batch)

        child.deliver(several, name, slot, {"hook": Scripted(answer, batch_messages=1)})

    with working(several, roles=only(work)):
        eventually(lambda: sum(accounts(log_client, each).get("delivered:hook", 0) for each in range(4)) == 160)
    shares = Counter((tmp_path / "who").read_text().split())
    assert len(shares) == 2
    assert min(shares.values()) >= 30


# children that cannot work


def test_a_pool_whose_children_cannot_work_gives_up_and_says_why(
    config: Config,
    log_client: redis.Redis,
    rq_client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(team, "LONGEST_DELAY", 0.01)
    broken = DestinationTable(type="file", settings={"path": 7}, place="[destinations.hook]")
    wrong = msgspec.structs.replace(config, destinations={"hook": broken})
    with forked(lambda: work_on(wrong, tmp_path / "told")) as pid:
        assert exit_code(pid) == 1
    assert "giving up: 5 worker processes in a row ended right after their start" in told(tmp_path)
    assert "[destinations.hook] path" in told(tmp_path)


def test_a_pool_whose_workers_are_killed_one_after_the_other_goes_on(
    config: Config, log_client: redis.Redis, rq_client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(team, "LONGEST_DELAY", 0.01)
    starts = tmp_path / "starts"

    def die(_name: str, _slot: Slot) -> None:
        with starts.open("a") as lines:
            lines.write("x")
        os.kill(os.getpid(), signal.SIGKILL)

    with forked(lambda: work_on(config, roles=only(die))):
        eventually(lambda: starts.exists() and starts.stat().st_size > 2 * team.HOPELESS)


def test_workers_that_find_no_rq_server_are_started_until_they_do(
    config: Config, log_client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(team, "LONGEST_DELAY_AWAY", 0.01)
    server = rq_server(tmp_path / "rq")
    elsewhere = msgspec.structs.replace(config, rq=RqSettings(url=ServerUrl(f"unix://{server.socket}")))
    starts = tmp_path / "starts"

    def work(name: str, slot: Slot) -> None:
        with starts.open("a") as lines:
            lines.write("x")
        child.run(elsewhere, name, slot)

    with working(elsewhere, roles=only(work)):
        eventually(lambda: starts.exists() and starts.stat().st_size > team.HOPELESS)
        server.start()
        eventually(lambda: workers_of(log_client))
    server.stop()


# signs of life


def test_everybody_gives_a_sign_of_life_and_a_stop_takes_it_away(
    config: Config, log_client: redis.Redis, rq_client: redis.Redis
) -> None:
    with working(config) as pid:
        eventually(lambda: [beat.role for beat in beats.read(log_client)] == ["clerk", "worker", "workers"])
        os.kill(pid, signal.SIGTERM)
        assert exit_code(pid) == 0
    assert beats.read(log_client) == []


def test_the_sign_of_a_killed_worker_is_taken_away_by_its_parent(
    config: Config, log_client: redis.Redis, rq_client: redis.Redis
) -> None:
    with working(config):
        (worker,) = eventually(lambda: workers_of(log_client))
        os.kill(worker, signal.SIGKILL)
        eventually(lambda: workers_of(log_client) and worker not in workers_of(log_client))
