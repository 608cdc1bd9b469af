"""`turnout up`, and the commands that look at what it runs."""

import http.client
import json
import os
import select
import shlex
import signal
import stat
import subprocess
import sys
import urllib.request
from base64 import b64encode
from pathlib import Path

import pytest

from tests.collector.cli.conftest import Turnout
from tests.collector.cli.running import Up, alive, eventually, free_port

SIGNED_UP = {"userId": "u1", "event": "Signed Up"}
LATER = {"userId": "u3", "event": "Later"}


def post(up: Up, message: object) -> int:
    headers = {"Authorization": f"Basic {b64encode(b'dev:').decode()}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{up.url}/v1/track", json.dumps(message).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except (OSError, http.client.HTTPException):
        return 0


def accounts(turnout: Turnout, destination: str = "archive") -> dict[str, int]:
    answer = json.loads(turnout("status", "--json").out)
    (row,) = [row for row in answer["rows"] if row["destination"] == destination]
    return {key: row[key] for key in ("received", "delivered", "waiting")}


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
    with Up(tmp_path) as up:
        assert up.url in up.expect(r"post to +(\S+)")[1]
        assert up.expect(r"write key +(\S+)")[1] == "dev"
        curl = up.expect(r"curl .*\\\n.*\n")[0].replace("\\\n", "")
        up.listening()

        assert follow_curl(curl) == 200
        assert json.loads(up.expect(r"\{.*\}\n")[0])["event"] == "Signed Up"  # printed by the console destination
        assert turnout("send", "page", "Home", "--user", "u2").code == 0
        assert eventually(lambda: accounts(turnout) == {"received": 2, "delivered": 2, "waiting": 0})

        assert stat.S_IMODE(Path("data/run.json").stat().st_mode) == 0o600
        status = turnout("status")
        assert status.code == 0
        assert "durability  fsync (appendonly yes, appendfsync always)" in status.lines
        assert "dedupe      1.0 d in force, 2 of 10000000 ids" in status.lines
        assert turnout("check").code == 0
        watch_what_comes(up, tmp_path)

        children = up.children()
        assert len(children) == 4
        assert up.stop() == 0
        assert "stopped" in up.printed
        assert not [pid for pid in children if alive(pid)]
        assert not Path("data/run.json").exists()


def watch_what_comes(up: Up, directory: Path) -> None:
    """`turnout tail` shows what comes, through its filters."""
    command = [sys.executable, "-m", "collector.cli.main", "tail", "--json", "--event", "Later"]
    tail = subprocess.Popen(command, cwd=directory, stdout=subprocess.PIPE)
    try:
        assert tail.stdout is not None
        # It may not be watching yet: what comes before it may be delivered and gone.
        assert eventually(lambda: post(up, LATER) == 200 and bool(select.select([tail.stdout], [], [], 0.1)[0]))
        assert json.loads(tail.stdout.readline())["event"] == "Later"
        tail.send_signal(signal.SIGINT)
        assert tail.wait(10) == 0
    finally:
        tail.kill()
        tail.communicate()


def test_a_restart_goes_on_where_it_stopped(turnout: Turnout, tmp_path: Path) -> None:
    with Up(tmp_path).listening() as up:
        os.kill(up.child("work --data"), signal.SIGSTOP)  # nothing is delivered now
        assert post(up, SIGNED_UP) == 200
        up.signal(signal.SIGINT)
        up.signal(signal.SIGINT)  # the workers cannot stop in good order
        up.expect("the workers did not stop in time: killed")
        assert up.end() == 0
    with Up(tmp_path).listening() as up:
        assert eventually(lambda: accounts(turnout) == {"received": 1, "delivered": 1, "waiting": 0})
        assert up.stop() == 0


def test_whatever_dies_is_started_again(turnout: Turnout, tmp_path: Path) -> None:
    with Up(tmp_path).listening() as up:
        for words, name in (
            ("serve --data", "collector"),
            ("work --data", "workers"),
            ("data/log/valkey.sock", "log server"),
            ("data/rq/valkey.sock", "RQ server"),
        ):
            os.kill(up.child(words), signal.SIGKILL)
            up.expect(rf"the {name} ended \(.*\): starting it again in 0.5 s")
        assert eventually(lambda: post(up, SIGNED_UP) == 200)
        assert eventually(lambda: accounts(turnout)["waiting"] == 0)
        assert up.stop() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_its_children_do_not_outlive_it(tmp_path: Path) -> None:
    with Up(tmp_path).listening() as up:
        children = up.children()
        up.signal(signal.SIGKILL)
        up.end()
        assert len(children) == 4
        assert eventually(lambda: not [pid for pid in children if alive(pid)])
    with Up(tmp_path).listening() as up:  # what the dead one left behind is in nobody's way
        assert up.stop() == 0


def test_a_data_directory_serves_one_at_a_time(turnout: Turnout, tmp_path: Path) -> None:
    with Up(tmp_path).listening() as up:
        refused = turnout("up", "--port", str(free_port()))
        assert refused.code == 1
        assert refused.err.startswith("turnout: another Turnout (process ")
        assert Path("data/run.json").exists()
        taken = turnout("up", "--port", str(up.port), "--data", "other")
        assert taken.code == 1
        assert f"turnout: cannot listen on 127.0.0.1:{up.port}: Address already in use" in taken.err
        assert not Path("other/run.json").exists()
        assert up.stop() == 0


def test_a_server_that_cannot_start_is_told_in_its_own_words(turnout: Turnout, tmp_path: Path) -> None:
    manifest = tmp_path / "data" / "log" / "appendonlydir" / "appendonly.aof.manifest"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("this is no manifest\n")
    ended = turnout("up", "--port", str(free_port()))
    assert ended.code == 1
    assert "manifest" in ended.err


def test_a_key_of_ones_own_is_not_written_into_a_log_file(tmp_path: Path) -> None:
    (tmp_path / "turnout.toml").write_text('[sources.shop]\nwrite_keys = ["hush"]\n')
    with Up(tmp_path) as up:
        assert up.expect(r"write key +(.*)")[1] == "YOUR_WRITE_KEY (of source shop)"
        up.listening()
        assert up.stop() == 0
        assert "hush" not in up.printed
