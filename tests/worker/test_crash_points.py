"""A worker process dies at each point at which it can: nothing is lost, and little is repeated."""

import os
import re
import signal
from pathlib import Path

import msgspec
import pytest
import redis

from destinations.builtin.file import File
from destinations.settings import read_table
from tests.worker.rig import Line, exit_code, forked
from worker import connect, crash, keys
from worker.embedded import Server

NAMES = [f"m{number}" for number in range(10)]

REPEATED = {"acquired": 0, "read": 0, "delivered": 4, "committed": 0, "released": 0}
"""How many messages go out twice when a batch of four is cut off there."""


def file_at(path: Path) -> File:
    settings, problems = read_table(File.shape, {"path": str(path)}, "the test")
    assert settings is not None, problems
    destination = File("hook", settings)
    destination.batch_messages = 4
    return destination


def written(path: Path) -> list[str]:
    return [msgspec.json.decode(line)["messageId"] for line in path.read_bytes().splitlines()] if path.exists() else []


@pytest.mark.parametrize("point", crash.POINTS)
def test_a_crash_repeats_at_most_the_batch_in_hand_and_loses_nothing(
    log_process: Server, log_client: redis.Redis, tmp_path: Path, point: str
) -> None:
    line = Line(log_client)
    path = tmp_path / "out.jsonl"
    line.post(*NAMES)

    def die() -> None:
        os.environ[crash.VARIABLE] = point
        mine = Line(connect.client(log_process.url, timeout=5.0))
        mine.courier(file_at(path), owner=f"crew.{os.getpid()}").drain(0, "hook")

    with forked(die) as pid:
        assert exit_code(pid) == -signal.SIGKILL, "this point is reached"
    assert line.log.disown(0, ["hook"], f"crew.{pid}") == (0 if point == "released" else 1)

    courier = line.courier(file_at(path))
    assert courier.drain(0, "hook") == "idle"
    found = written(path)
    assert list(dict.fromkeys(found)) == NAMES, "all are there, first ones in order"
    assert len(found) - len(NAMES) == REPEATED[point]
    assert line.counts() == {"received": 10, "delivered:hook": 10}
    assert (line.pending(), line.waiting()) == (0, False)
    assert not log_client.exists(keys.lease(0, "hook"))
    line.close()


def test_without_the_variable_no_point_does_anything() -> None:
    assert crash.VARIABLE not in os.environ
    for point in crash.POINTS:
        crash.crash(point)


def test_every_point_in_the_code_has_a_name_and_every_name_a_point() -> None:
    code = "".join((Path(crash.__file__).parent / name).read_text() for name in ("courier.py", "carriage.py"))
    assert {point for point in crash.POINTS if f'crash("{point}")' in code} == set(crash.POINTS)
    assert set(re.findall(r'crash\("(.*?)"\)', code)) == set(crash.POINTS)
