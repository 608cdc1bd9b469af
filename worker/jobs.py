"""The one kind of RQ job, and the worker that runs it: drain a partition for a destination.

A job carries ids, never messages. Losing, doubling or delaying any of them is harmless: the sweep finds what is due.
"""

import time
from collections.abc import Callable
from typing import Any, ClassVar, Protocol

import redis
import rq
from rq.job import Job
from rq.serializers import JSONSerializer

QUEUE = "turnout"
DRAIN = "worker.jobs.drain"
JOB_TIMEOUT = 30
WORKER_TTL = 30
HEARTBEAT = 5.0

LATER = "later"
"""The third word of a job whose partition has nothing live: it can wait. Without it the job is for live messages."""


class Drain(Protocol):
    """What a job comes down to; gives back how it went."""

    def __call__(self, partition: int, destination: str, haste: str = "") -> str: ...


class Refused(PermissionError):
    """An RQ job asked for something else than a drain."""


class DrainJob(Job):
    """A job that can only be a drain: whoever can write to the RQ server still cannot choose what runs."""

    run_drain: ClassVar[Drain | None] = None

    @property
    def func(self) -> Drain:
        called_back = self._success_callback_name or self._failure_callback_name or self._stopped_callback_name
        if self.func_name != DRAIN or self.instance is not None or called_back or getattr(self, "webhooks", None):
            raise Refused(f"this worker runs only {DRAIN}")
        run = type(self).run_drain
        if run is None:
            raise Refused("this process only sends nudges")
        return run

    # RQ calls these when a job has failed, and a refused one fails: there is nothing to call.

    @property
    def success_callback(self) -> None:
        return None

    @property
    def failure_callback(self) -> None:
        return None

    @property
    def stopped_callback(self) -> None:
        return None

    def send_webhooks(self, status: Any, *, exc_string: str | None = None) -> None:
        return


def job_class_running(drain: Drain) -> type[DrainJob]:
    """A job class bound to this process's courier, so that no module needs a global."""
    return type("BoundDrainJob", (DrainJob,), {"run_drain": staticmethod(drain)})


class LeanWorker(rq.SimpleWorker):
    """A worker with less bookkeeping per job: RQ's own takes some 20 round trips, this one about 8."""

    max_connection_wait_time = 2.0
    log_result_lifespan = False
    when_asked_to_stop: Callable[[], None] | None = None
    """Called at once, in the signal handler; RQ itself may take a second to end."""
    _last_heartbeat = 0.0

    def handle_warm_shutdown_request(self) -> None:
        if self.when_asked_to_stop is not None:
            self.when_asked_to_stop()
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]  # RQ has no types there

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        if pipeline is None:
            if time.monotonic() - self._last_heartbeat < HEARTBEAT:
                return
            self._last_heartbeat = time.monotonic()
        super().heartbeat(timeout, pipeline)

    def set_state(self, state: Any, pipeline: Any = None) -> None:
        self._state = state
        if pipeline is not None:
            super().set_state(state, pipeline)


def queue_on(client: "redis.Redis") -> rq.Queue:
    return rq.Queue(QUEUE, connection=client, serializer=JSONSerializer, job_class=DrainJob)


def enqueue(queue: rq.Queue, partition: int, destination: str) -> None:
    """For live messages."""
    _enqueue(queue, partition, destination)


def enqueue_later(queue: rq.Queue, partition: int, destination: str) -> None:
    """For anything else."""
    _enqueue(queue, partition, destination, LATER)


def _enqueue(queue: rq.Queue, *words: int | str) -> None:
    """Always a fresh id, never `unique`, no RQ retry: each of these loses work."""
    queue.enqueue(
        DRAIN,
        *words,
        ttl=60,
        job_timeout=JOB_TIMEOUT,
        result_ttl=1,
        failure_ttl=300,
    )
