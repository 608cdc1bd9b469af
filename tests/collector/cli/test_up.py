"""`turnout up`, and the commands that look at what it runs."""

import json
import re
import select
import shlex
import signal
import stat
import subprocess
import sys
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from tests.collector.cli.conftest import Turnout
from tests.processes import alive, family
from tests.running import Role, Running, free_port, running
from tests.waiting import eventually
from worker.embedded import Server

SIGNED_UP = {"userId": "u1", "event": "Signed Up"}
ONE_WORKER = ("--workers", "1")


@contextmanager
def up(directory: Path, toml: str | None = None) -> Iterator[Running]:
    """A `turnout up` that has said that it listens."""
    with running(directory, toml, options=ONE_WORKER) as it:
        eventually(lambda: "Ctrl-C stops" in it.output)
        yield it


def archived(turnout: Turnout) -> tuple[int, int, int]:
    """What the archive received, has, and waits for."""
    answer = json.loads(turnout("status", "--json").out)
    (row,) = [row for row in answer["rows"] if row["destination"] == "archive"]
    return row["received"], row["delivered"], row["waiting"]


def follow_curl(line: str) -> int:
    """Do what the printed curl line says, without curl."""
    words = iter(shlex.split(line)[1:])
    url, headers, body = "", {}, b""
    for word in words:
        match word:
            case "-u":
                headers["Authorization"] = f"Basic {b64encode(next(words).encode()).decode()}"
            case "-H":
                name, _, value = next(words).partition(": ")
                headers[name] = value
            case "-d":
                body = next(words).encode()
            case _:
                url = word
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10) as answer:
        return int(answer.status)


def test_a_newcomer_starts_it_posts_looks_and_stops(turnout: Turnout, tmp_path: Path) -> None:
    with up(tmp_path) as it:
        assert f"post to      {it.url}/v1/track" in it.output
        assert "write key    dev (of source web)" in it.output
        curl = re.search(r"curl (.*\\\n)+.*\n", it.output)
        assert curl is not None

        assert follow_curl(curl[0].replace("\\\n", "")) == 200
        assert eventually(lambda: '"event":"Signed Up"' in it.output)  # printed by the console destination
        assert turnout("send", "page", "Home", "--user", "u2").code == 0
        assert eventually(lambda: archived(turnout) == (2, 2, 0))

        assert stat.S_IMODE(Path("data/run.json").stat().st_mode) == 0o600
        status = turnout("status")
        assert status.code == 0
        assert "durability  fsync (appendonly yes, appendfsync always)" in status.lines
        assert "dedupe      1.0 d in force, 2 of 10000000 ids" in status.lines
        assert turnout("check").code == 0

        relatives = family(it.pids(Role.UP)[0])
        assert len(relatives) == 6  # two servers, the collector, the workers' parent, a worker, the clerk
        assert it.stop() == 0
        assert "stopped" in it.output
        assert not [process for process in relatives if alive(process.pid)]
        assert not Path("data/run.json").exists()


def test_tail_shows_what_comes_through_its_filters(tmp_path: Path) -> None:
    with up(tmp_path) as it:
        command = [sys.executable, "-m", "collector.cli.main", "tail", "--json", "--event", "Later"]
        tail = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE)
        assert tail.stdout is not None
        shown = tail.stdout

        def seen() -> bool:
            # It may not be watching yet: what came before it may be delivered and gone.
            it.post("/v1/track", SIGNED_UP)
            it.post("/v1/track", {"userId": "u3", "event": "Later"})
            return bool(select.select([shown], [], [], 0.1)[0])

        try:
            assert eventually(seen)
            assert json.loads(shown.readline())["event"] == "Later"
            tail.send_signal(signal.SIGINT)
            assert tail.wait(10) == 0
        finally:
            tail.kill()
            tail.communicate()


def test_a_second_ctrl_c_does_not_wait_and_the_next_start_goes_on_there(turnout: Turnout, tmp_path: Path) -> None:
    with up(tmp_path) as it:
        it.kill(Role.WORKER, signal.SIGSTOP)  # it has no chance to end in good order
        assert it.post("/v1/track", SIGNED_UP)[0] == 200
        it.kill(Role.UP, signal.SIGINT)
        eventually(lambda: "stopping; Ctrl-C again to hurry" in it.output)
        assert it.stop() == 0
        assert "the workers: as asked, killed; nothing that was accepted is lost" in it.output
    with up(tmp_path):
        assert eventually(lambda: archived(turnout) == (1, 1, 0))


def test_whatever_dies_is_started_again(turnout: Turnout, tmp_path: Path) -> None:
    with up(tmp_path) as it:
        for role, name in (
            (Role.COLLECTOR, "collector"),
            (Role.WORKERS, "workers"),
            (Role.LOG, "log server"),
            (Role.RQ, "RQ server"),
        ):
            killed = it.kill(role)
            assert it.back(killed)
            assert re.search(rf"the {name} ended \(.*\): starting it again in 0.5 s", it.output)
        eventually(it.ready)
        assert it.post("/v1/track", SIGNED_UP)[0] == 200
        assert eventually(lambda: archived(turnout) == (1, 1, 0))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_its_children_do_not_outlive_it(tmp_path: Path) -> None:
    with up(tmp_path) as it:
        relatives = family(it.pids(Role.UP)[0])
        it.kill(Role.UP)
        assert eventually(lambda: not [process for process in relatives if alive(process.pid)])
    with up(tmp_path) as it:  # what the dead one left behind is in nobody's way
        assert it.stop() == 0


def test_a_data_directory_serves_one_at_a_time(turnout: Turnout, tmp_path: Path) -> None:
    with up(tmp_path) as it:
        refused = turnout("up", "--port", str(free_port()))
        assert refused.code == 1
        assert refused.err.startswith(f"turnout: another Turnout (process {it.pids(Role.UP)[0]}) uses ")
        assert Path("data/run.json").exists()
        taken = turnout("up", "--port", str(it.port), "--data", "other")
        assert taken.code == 1
        assert f"turnout: cannot listen on 127.0.0.1:{it.port}: Address already in use" in taken.err
        assert not Path("other/run.json").exists()


def test_a_server_that_cannot_start_is_told_in_its_own_words(turnout: Turnout, tmp_path: Path) -> None:
    manifest = tmp_path / "data" / "log" / "appendonlydir" / "appendonly.aof.manifest"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("this is no manifest\n")
    ended = turnout("up", "--port", str(free_port()))
    assert ended.code == 1
    assert "manifest" in ended.err


def test_a_data_directory_that_cannot_be_made_is_told(turnout: Turnout) -> None:
    Path("data").write_text("a file")
    ended = turnout("up", "--port", str(free_port()))
    assert ended.code == 1
    assert ended.err == "turnout: data: File exists\n"


def test_a_log_begun_otherwise_ends_the_start_with_its_reason(turnout: Turnout, tmp_path: Path) -> None:
    toml = "[log]\npartitions = {}\n[sources.web]\nwrite_keys = ['dev']\n"
    with up(tmp_path, toml.format(2)):
        pass
    Path("turnout.toml").write_text(toml.format(3))
    command = [sys.executable, "-m", "collector.cli.main", "up", "--port", str(free_port())]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "the log was begun with 2 partitions and the configuration says 3" in ended.stderr
    assert "turnout: the collector ended at its start (exit code 1)" in ended.stderr


def test_a_key_of_ones_own_is_not_written_into_a_log_file(tmp_path: Path) -> None:
    with up(tmp_path, '[sources.shop]\nwrite_keys = ["hush"]\n') as it:
        assert "write key    YOUR_WRITE_KEY (of source shop)" in it.output
        assert it.stop() == 0
        assert "hush" not in it.output


@pytest.mark.parametrize("own", [("log", "rq"), ("log",), ("rq",)], ids="-".join)
def test_servers_of_ones_own_are_used_and_not_started(
    tmp_path: Path, own: tuple[str, ...], log_process: Server, rq_process: Server, log_client: redis.Redis
) -> None:
    urls = {"log": log_process.url, "rq": rq_process.url}
    toml = "".join(f'[{name}]\nurl = "{urls[name]}"\n' for name in own)
    with up(tmp_path, f'{toml}[sources.web]\nwrite_keys = ["dev"]\n') as turnout:
        assert turnout.post("/v1/track", SIGNED_UP)[0] == 200
        eventually(lambda: turnout.account("web", "archive")["delivered"] == 1, what="the archive has it")
        assert not turnout.pids(Role.LOG) if "log" in own else turnout.pids(Role.LOG)
        assert not turnout.pids(Role.RQ) if "rq" in own else turnout.pids(Role.RQ)
