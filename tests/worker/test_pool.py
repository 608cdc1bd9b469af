"""The parent of the worker processes, with real workers, real servers and a real file to deliver to."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
import rq

from tests.processes import alive, children
from tests.waiting import eventually
from tests.worker.rig import append, exit_code, forked, terms
from worker import beats, child, jobs, keys, pool
from worker.config import Config, DestinationTable, LogSettings, RqSettings, ServerUrl, Source, WorkerSettings
from worker.embedded import Server
from worker.log import Log
from worker.pool import Pool
from worker.reload import Reload
from worker.slot import Slot
from worker.team import Role

HOOK = terms("hook")


@pytest.fixture
def config(log_process: Server, rq_process: Server, tmp_path: Path) -> Config:
    return Config(
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


@contextmanager
def working(config: Config, reload: Reload | None = None, **options: Any) -> Iterator[int]:
    """A pool at work; when it is done with, its workers are gone too."""
    with forked(lambda: os._exit(Pool(config, reload=reload, **options).run())) as pid:
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
