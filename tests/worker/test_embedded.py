"""The Valkey servers that Turnout starts itself."""

import os
import select
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from worker.embedded import DirectoryInUse, EmbeddedError, Server, log_server, rq_server


def client_of(server: Server) -> "redis.Redis":
    return redis.Redis.from_url(server.url, retry=Retry(NoBackoff(), 0))


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Server]:
    server = log_server(tmp_path, "fsync")
    server.start()
    yield server
    server.stop()


def test_the_log_writes_each_command_to_disk_and_never_evicts(log: Server) -> None:
    with client_of(log) as client:
        settings = client.config_get("append*", "maxmemory-policy", "save", "port")
    assert settings["appendonly"] == "yes"
    assert settings["appendfsync"] == "always"
    assert settings["maxmemory-policy"] == "noeviction"
    assert settings["save"] == ""
    assert settings["port"] == "0"


def test_the_log_flushes_once_a_second_when_the_configuration_says_so(tmp_path: Path) -> None:
    server = log_server(tmp_path, "everysec")
    server.start()
    with client_of(server) as client:
        assert client.config_get("appendfsync") == {"appendfsync": "everysec"}
    server.stop()


@pytest.mark.parametrize("memory", [0, 64 << 20])
def test_the_log_uses_no_more_memory_than_the_configuration_gives_it(tmp_path: Path, memory: int) -> None:
    server = log_server(tmp_path, "fsync", memory)
    server.start()
    with client_of(server) as client:
        assert client.config_get("maxmemory") == {"maxmemory": str(memory)}
    server.stop()


def test_only_this_user_can_open_the_socket_and_the_directory(log: Server) -> None:
    assert stat.S_IMODE(log.socket.stat().st_mode) == 0o700
    assert stat.S_IMODE(log.socket.parent.stat().st_mode) == 0o700


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    first = log_server(tmp_path, "fsync")
    first.start()
    with client_of(first) as client:
        client.set("kept", "yes")
    first.stop()
    second = log_server(tmp_path, "fsync")
    second.start()
    with client_of(second) as client:
        assert client.get("kept") == b"yes"
    second.stop()


def test_what_was_written_is_there_after_the_server_was_killed(log: Server) -> None:
    with client_of(log) as client:
        client.set("kept", "yes")
    assert log.pid is not None
    os.kill(log.pid, signal.SIGKILL)
    with pytest.raises(EmbeddedError):
        log.ready(within=30)
    assert not log.alive()
    log.launch()
    assert log.ready(within=30)
    with client_of(log) as client:
        assert client.get("kept") == b"yes"


def test_rq_leaves_nothing_on_disk(tmp_path: Path) -> None:
    server = rq_server(tmp_path)
    server.start()
    with client_of(server) as client:
        client.set("gone", "soon")
    server.stop()
    assert {path.name for path in (tmp_path / "rq").iterdir()} == {
        "turnout.lock",
        "server.lock",
        "server.log",
    }


def test_a_second_turnout_is_told_who_uses_the_directory(log: Server, tmp_path: Path) -> None:
    with pytest.raises(DirectoryInUse, match=f"process {os.getpid()}.*{tmp_path}"):
        log_server(tmp_path, "fsync").start()
    assert log.alive()


def test_a_server_that_cannot_start_says_why_in_its_own_words(tmp_path: Path) -> None:
    server = Server(tmp_path, {"appendonly": "perhaps"})
    with pytest.raises(EmbeddedError, match="argument must be 'yes' or 'no'"):
        server.start()
    assert not server.alive()


def test_a_directory_whose_start_failed_can_be_used_again(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError):
        Server(tmp_path, {"appendonly": "perhaps"}).start()
    server = Server(tmp_path, {})
    server.start()
    assert server.alive()
    server.stop()


def test_a_stale_socket_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(tmp_path / "log" / "valkey.sock"))
    server = log_server(tmp_path, "fsync")
    server.start()
    with client_of(server) as client:
        assert client.ping()
    server.stop()


def test_a_long_data_path_gets_a_short_private_socket(tmp_path: Path) -> None:
    server = log_server(tmp_path / ("long" * 30), "fsync")
    server.start()
    shelter = server.socket.parent
    with client_of(server) as client:
        assert client.ping()
    assert len(os.fsencode(server.socket)) < 104
    assert stat.S_IMODE(shelter.stat().st_mode) == 0o700
    server.stop()
    assert not shelter.exists()


def test_a_data_path_with_spaces_and_signs_works(tmp_path: Path) -> None:
    server = log_server(tmp_path / 'my "data" 100% ü', "fsync")
    server.start()
    with client_of(server) as client:
        assert client.ping()
    server.stop()


def test_stopping_twice_or_before_the_start_does_nothing(tmp_path: Path) -> None:
    server = rq_server(tmp_path)
    server.stop()
    server.start()
    server.stop()
    server.stop()
    assert not server.alive()


def test_a_server_that_does_not_react_is_killed(log: Server) -> None:
    assert log.pid is not None
    os.kill(log.pid, signal.SIGSTOP)
    log.stop(patience=0.1)
    assert not log.alive()


PARENT = """
import pathlib, sys
from worker.embedded import log_server
server = log_server(pathlib.Path(sys.argv[1]), "fsync")
server.start()
print(server.pid, flush=True)
sys.stdin.read()
"""


def run_parent(data: Path) -> "tuple[subprocess.Popen[str], int]":
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    return parent, int(parent.stdout.readline())


def end(parent: "subprocess.Popen[str]") -> None:
    parent.kill()
    parent.communicate()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_a_server_does_not_outlive_a_parent_that_was_killed(tmp_path: Path) -> None:
    parent, server = run_parent(tmp_path)
    watch = os.pidfd_open(server)
    end(parent)
    ended = select.select([watch], [], [], 10)[0]
    os.close(watch)
    assert ended


def test_the_next_turnout_takes_over_from_a_server_left_behind(tmp_path: Path) -> None:
    parent, orphan = run_parent(tmp_path)
    os.kill(orphan, signal.SIGSTOP)  # it cannot go by itself now
    end(parent)
    os.kill(orphan, signal.SIGCONT)
    server = log_server(tmp_path, "fsync")
    server.start()
    assert server.pid != orphan
    with client_of(server) as client:
        assert client.ping()
    server.stop()
