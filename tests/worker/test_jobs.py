"""What an RQ job can be, and what it cannot."""

import http.server
import json
import pickle
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import redis
from rq.job import Job
from rq.serializers import JSONSerializer

from tests.worker.rig import exit_code, forked
from worker import connect, jobs
from worker.embedded import Server

ID = "11111111-2222-3333-4444-555555555555"


class Hasty(jobs.LeanWorker):
    """RQ waits a second for the thread that listens to commands; here nobody sends any."""

    def unsubscribe(self) -> None:
        return


def work_off(rq_process: Server, seen: Path) -> None:
    """A real worker takes everything there is; each drain that it runs is a line in `seen`."""

    def drain(partition: int, destination: str, haste: str = "") -> str:
        with seen.open("a") as lines:
            lines.write(f"{partition} {destination} {haste}".strip() + "\n")
        return "idle"

    def work() -> None:
        client = connect.rq_client(rq_process.url)
        worker = Hasty(
            [jobs.queue_on(client)],
            connection=client,
            serializer=JSONSerializer,
            job_class=jobs.job_class_running(drain),
            worker_ttl=jobs.WORKER_TTL,
        )
        worker.work(burst=True, logging_level="CRITICAL")

    with forked(work) as pid:
        assert exit_code(pid) == 0


def plant(client: "redis.Redis", data: bytes, **fields: str) -> None:
    """What somebody who can write to the RQ server could put there."""
    job: dict[str, str | bytes] = {"data": data, "origin": jobs.QUEUE, "status": "queued", "timeout": "30", **fields}
    client.hset(f"rq:job:{ID}", mapping=job)  # type: ignore[arg-type]  # redis-py: invariant dict
    client.rpush(f"rq:queue:{jobs.QUEUE}", ID)


def call(name: str, *arguments: object, instance: object = None) -> bytes:
    return zlib.compress(json.dumps([name, instance, arguments, {}]).encode())


def status_of(client: "redis.Redis") -> str:
    return Job.fetch(ID, connection=client, serializer=JSONSerializer).get_status().value


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A file that exists only if something ran that should not have."""
    return tmp_path / "canary"


def touch(_job: object, _connection: object, *_: object) -> None:
    """A callback that a forged job may name; where to write is in its own arguments."""
    Path(cast(Any, _job).args[-1]).touch()


def test_a_drain_runs_with_its_ids(rq_client: redis.Redis, rq_process: Server, tmp_path: Path) -> None:
    queue = jobs.queue_on(rq_client)
    jobs.enqueue(queue, 3, "hook")
    jobs.enqueue(queue, 3, "hook")
    work_off(rq_process, tmp_path / "seen")
    assert (tmp_path / "seen").read_text() == "3 hook\n3 hook\n"


def test_a_drain_that_can_wait_says_so(rq_client: redis.Redis, rq_process: Server, tmp_path: Path) -> None:
    jobs.enqueue_later(jobs.queue_on(rq_client), 3, "hook")
    work_off(rq_process, tmp_path / "seen")
    assert (tmp_path / "seen").read_text() == "3 hook later\n"


def test_a_job_holds_ids_and_no_message(rq_client: redis.Redis) -> None:
    jobs.enqueue(jobs.queue_on(rq_client), 3, "hook")
    (name,) = cast("list[bytes]", rq_client.keys("rq:job:*"))
    stored = cast("dict[bytes, bytes]", rq_client.hgetall(name))
    assert json.loads(zlib.decompress(stored[b"data"])) == [jobs.DRAIN, None, [3, "hook"], {}]
    assert not any(stored.get(field) for field in (b"meta", b"retries_left", b"success_callback_name", b"webhooks"))


def test_every_job_has_an_id_of_its_own(rq_client: redis.Redis) -> None:
    queue = jobs.queue_on(rq_client)
    for _ in range(3):
        jobs.enqueue(queue, 0, "hook")
    assert len(set(queue.job_ids)) == 3


def test_a_forged_call_of_another_function_never_runs(rq_client: redis.Redis, rq_process: Server, canary: Path) -> None:
    plant(rq_client, call("os.system", f"touch {canary}"))
    work_off(rq_process, canary.with_name("seen"))
    assert status_of(rq_client) == "failed"
    assert not canary.exists()


def test_a_forged_method_call_never_runs(rq_client: redis.Redis, rq_process: Server, canary: Path) -> None:
    plant(rq_client, call(jobs.DRAIN, 0, "hook", instance={"any": "thing"}))
    work_off(rq_process, canary)
    assert status_of(rq_client) == "failed"
    assert not canary.exists()


@pytest.mark.parametrize("when", ["success", "failure", "stopped"])
@pytest.mark.parametrize("function", [jobs.DRAIN, "os.system"])
def test_a_forged_callback_never_runs(
    rq_client: redis.Redis, rq_process: Server, canary: Path, when: str, function: str
) -> None:
    fields = {f"{when}_callback_name": f"{__name__}.touch"}
    plant(rq_client, call(function, 0, str(canary)), **fields)
    work_off(rq_process, canary.with_name("seen"))
    assert status_of(rq_client) == "failed"
    assert not canary.exists()


@pytest.fixture
def calls() -> Iterator[tuple[str, list[str]]]:
    """The address of a web server, and the paths that were asked of it."""
    paths: list[str] = []

    class Witness(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is the standard library's
            return

    with http.server.HTTPServer(("127.0.0.1", 0), Witness) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", paths
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("when", ["finished", "failed"])
def test_a_forged_webhook_is_never_called(
    rq_client: redis.Redis, rq_process: Server, canary: Path, calls: tuple[str, list[str]], when: str
) -> None:
    address, paths = calls
    plant(rq_client, call(jobs.DRAIN, 0, "hook"), webhooks=json.dumps([{"url": f"{address}/in", "job_status": when}]))
    work_off(rq_process, canary)
    assert paths == []
    assert not canary.exists()


class Pickled:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.path,)


def test_a_pickle_is_not_opened(rq_client: redis.Redis, rq_process: Server, canary: Path) -> None:
    plant(rq_client, zlib.compress(pickle.dumps((jobs.DRAIN, None, (Pickled(canary),), {}))))
    work_off(rq_process, canary.with_name("seen"))
    assert not canary.exists()


def test_a_forged_job_keeps_no_honest_one_from_running(
    rq_client: redis.Redis, rq_process: Server, tmp_path: Path
) -> None:
    plant(rq_client, call("os.system", "true"))
    jobs.enqueue(jobs.queue_on(rq_client), 1, "hook")
    work_off(rq_process, tmp_path / "seen")
    assert (tmp_path / "seen").read_text() == "1 hook\n"


def test_a_process_that_only_sends_nudges_runs_none(rq_client: redis.Redis) -> None:
    queue = jobs.queue_on(rq_client)
    jobs.enqueue(queue, 1, "hook")
    (job,) = queue.jobs
    with pytest.raises(jobs.Refused, match="only sends nudges"):
        job.perform()
