"""Asking RQ for drains."""

import logging
from pathlib import Path

import pytest
import redis

from tests.waiting import eventually
from worker import connect, jobs, nudge
from worker.embedded import rq_server


def queued(client: "redis.Redis") -> list[tuple[object, ...]]:
    return [tuple(job.args) for job in jobs.queue_on(client).jobs]


def test_nudges_become_jobs_in_their_order(rq_client: redis.Redis) -> None:
    nudger = nudge.Nudger(rq_client, most_queued=10)
    nudger.nudge([(0, "a"), (1, "b")])
    nudger.nudge([(2, "c")])
    nudger.close()
    assert queued(rq_client) == [(0, "a"), (1, "b"), (2, "c")]


def test_however_many_nudges_there_are_only_so_many_jobs_wait(rq_client: redis.Redis) -> None:
    most = nudge.most_queued(partitions=2, destinations=3)
    assert most == 12
    nudger = nudge.Nudger(rq_client, most_queued=most)
    nudger.nudge([(number % 2, "hook") for number in range(200)])
    nudger.close()
    nudge.send(jobs.queue_on(rq_client), [(0, "hook")] * 200, most)
    nudge.send_later(jobs.queue_on(rq_client), [(0, "hook")] * 200, most)
    assert len(queued(rq_client)) == most
    assert len(rq_client.keys("rq:job:*")) == most


def test_without_an_rq_server_nobody_waits_and_nobody_fails(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "worker.nudge")
    server = rq_server(tmp_path)
    client = connect.client(f"unix://{server.socket}", timeout=1.0)
    nudger = nudge.Nudger(client, most_queued=10)
    nudger.nudge([(0, "lost")])
    nudger.close()
    server.start()
    again = nudge.Nudger(client, most_queued=10)
    again.nudge([(1, "hook")])
    again.close()
    assert eventually(lambda: queued(client)) == [(1, "hook")]
    client.close()
    server.stop()
