"""A whole `turnout up` for tests: started on a free port, waited for, looked into, killed in parts, stopped.

    with running(tmp_path, toml) as turnout:
        turnout.post("/v1/track", {"userId": "u", "event": "A"})
        killed = turnout.kill(Role.COLLECTOR)
        turnout.back(killed)

A second `running` in the same directory goes on with what the first one left.
"""

import base64
import contextlib
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec

from collector.cli.asking import log_of
from collector.cli.trouble import Trouble
from collector.config import BUILT_IN, Config, config_of, load
from collector.run import NotRunning, located
from destinations.archive.reader import messages
from tests.certificates import Certificate
from tests.processes import Process, alive, children, family
from tests.waiting import eventually
from worker import status as accounts

STARTS_WITHIN = 60.0
STOPS_WITHIN = 30.0
DEFAULT_KEY = "dev"

# Below the range from which systems take the ports of outgoing connections: while a killed collector is away,
# nobody else gets its port, and no client that knocks there is connected to itself.
_PORTS = range(20_000, 32_000)


class Role(Enum):
    """The processes of `turnout up`."""

    UP = "up"  # the supervisor
    COLLECTOR = "serve"
    WORKERS = "work"  # the parent of the worker processes
    WORKER = "turnout-worker"  # one of them
    CLERK = "turnout-clerk"  # their colleague for everything but deliveries
    LOG = "log"  # the Valkey server that holds the messages
    RQ = "rq"  # the Valkey server that wakes the workers


@dataclass(frozen=True)
class Killed:
    """A process that was sent a signal."""

    role: Role
    pid: int
    colleagues: frozenset[int]
    """All that were in the role then, with itself."""


class Running:
    """A `turnout up` and what a test wants of it. Made by `running`."""

    def __init__(
        self,
        directory: Path,
        port: int,
        write_key: str,
        environment: Mapping[str, str],
        tls: Certificate | None = None,
    ) -> None:
        self.directory = directory
        self.data = directory / "data"
        self.port = port
        self.tls = tls
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        self.write_key = write_key
        self._own_environment = bool(environment)
        self._environment = {**os.environ, **environment, "PYTHONUNBUFFERED": "1"}
        self._output = directory / "output.txt"
        self._process: subprocess.Popen[bytes] | None = None
        self._left_behind: list[Process] = []

    # its life

    def start(self, options: Sequence[str] = ()) -> None:
        """Launch, and wait until it takes messages."""
        words = ["up", "--data", str(self.data), "--port", str(self.port), *options]
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                self._command(words),
                cwd=self.directory,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.wait_until_ready()

    def wait_until_ready(self, within: float = STARTS_WITHIN) -> None:
        """Until /health/ready says so. AssertionError with its output when it ends before."""
        eventually(lambda: self._ended() is not None or self.ready(), within=within, what="turnout up became ready")
        assert self._ended() is None, f"turnout up ended with {self._ended()}:\n{self.output}"

    def ready(self) -> bool:
        try:
            return self.request("GET", "/health/ready", timeout=5)[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def stop(self) -> int:
        """Ask it to stop, as Ctrl-C does, and wait. Its exit code; what does not stop is killed, and an error."""
        assert self._process is not None, "start it first"
        relatives = family(self._process.pid)
        self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"turnout up did not stop within {STOPS_WITHIN:g} s:\n{self.output}") from None
        finally:
            self._sweep(relatives)

    def clean_up(self) -> None:
        """Stop it if it still runs, however it was left."""
        if self._process is None:
            return
        if self._ended() is None:
            self.stop()
        self._sweep(self._left_behind)

    def _sweep(self, relatives: Sequence[Process]) -> None:
        assert self._process is not None
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for process in relatives:
            if alive(process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)

    # its processes

    def pids(self, role: Role) -> list[int]:
        """The live processes in a role; none while one that died is not replaced."""
        assert self._process is not None, "start it first"
        match role:
            case Role.UP:
                return [self._process.pid] if self._ended() is None else []
            case Role.COLLECTOR | Role.WORKERS:
                return [process.pid for process in self._programs() if role.value in process.words]
            case Role.WORKER | Role.CLERK:
                found = [process for parent in self.pids(Role.WORKERS) for process in children(parent)]
                return [process.pid for process in found if process.name in (role.value, "")]
            case Role.LOG | Role.RQ:
                return self._server(self.data / role.value)

    def kill(self, role: Role, number: signal.Signals = signal.SIGKILL) -> "Killed":
        """Kill -9 (or another signal) the first process in a role, waiting for one to be there."""
        there = eventually(lambda: self.pids(role), what=f"a process in the role {role.name}")
        if role is Role.UP:
            self._left_behind = family(there[0])
        os.kill(there[0], number)
        if number == signal.SIGKILL:
            eventually(lambda: not alive(there[0]), what=f"the end of process {there[0]}")
        return Killed(role, there[0], frozenset(there))

    @contextmanager
    def frozen(self, role: Role) -> Iterator[int]:
        """The first process in a role does nothing at all inside of `with`: it hangs, as far as others can tell."""
        pid = self.kill(role, signal.SIGSTOP).pid
        try:
            yield pid
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def back(self, killed: "Killed", within: float = 30.0) -> int:
        """Wait until somebody new is in the role of the killed process; the new one's pid."""

        def new() -> list[int]:
            return [pid for pid in self.pids(killed.role) if pid not in killed.colleagues]

        return eventually(new, within=within, what=f"a new {killed.role.name}")[0]

    def _programs(self) -> list[Process]:
        assert self._process is not None
        found = children(self._process.pid)
        # The launcher of `worker.leash` carries the words of the program that it is about to become.
        return [process for process in found if "collector.cli.main" in process.words and "-c" not in process.words]

    def _server(self, directory: Path) -> list[int]:
        """A Valkey server gives itself another command line, and leaves its pid in the lock that it holds."""
        assert self._process is not None
        try:
            pid = int((directory / "server.lock").read_text())
        except (FileNotFoundError, ValueError):
            return []
        return [process.pid for process in children(self._process.pid) if process.pid == pid]

    def _ended(self) -> int | None:
        return self._process.poll() if self._process is not None else None

    # what goes in and what is seen

    @property
    def output(self) -> str:
        """What it printed so far."""
        return self._output.read_text(errors="replace") if self._output.exists() else ""

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        timeout: float = 30.0,
        port: int | None = None,
    ) -> tuple[int, bytes]:
        """Status and body of the answer, on a connection of its own. OSError when there is none.

        `port` is that of another collector of the same system.
        """
        with contextlib.closing(self._connection(port or self.port, timeout)) as connection:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.read()

    def _connection(self, port: int, timeout: float) -> http.client.HTTPConnection:
        if self.tls is None:
            return http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        return http.client.HTTPSConnection("127.0.0.1", port, timeout=timeout, context=self.tls.trusted())

    def post(
        self, path: str, message: object, *, key: str | None = None, port: int | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Status and answer to a message, or to {"batch": [...]}, with the write key."""
        basic = base64.b64encode(f"{key or self.write_key}:".encode()).decode()
        headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/json"}
        status, answer = self.request("POST", path, json.dumps(message).encode(), headers, port=port)
        return status, json.loads(answer)

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Another command of Turnout, run beside it with the same configuration and data."""
        environment = {**self._environment, "TURNOUT_DATA": str(self.data)}
        return subprocess.run(
            self._command(words),
            cwd=self.directory,
            env=environment,
            capture_output=True,
            check=False,  # some commands tell of trouble with their exit code
            text=True,
            timeout=60,
        )

    @contextmanager
    def beside(self, *words: str, environment: Mapping[str, str] | None = None) -> Iterator["subprocess.Popen[bytes]"]:
        """A program of Turnout that runs on beside it (`serve`, `work`), with the same configuration and data."""
        with (self.directory / f"{words[0]}.txt").open("ab") as output:
            process = subprocess.Popen(
                self._command(words),
                cwd=self.directory,
                env={**self._environment, "TURNOUT_DATA": str(self.data), **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            yield process
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOPS_WITHIN)
            process.kill()
            process.wait()

    def status(self) -> dict[str, Any]:
        """What `turnout status --json` says of the log. Read here: to start the command takes most of a second."""
        if self._own_environment:  # what it can import, we may not
            return self._told_status()
        try:
            config = located(self._config())
            with log_of(config) as log:
                found: dict[str, Any] = json.loads(msgspec.json.encode(accounts.read(log, config)))
                return found
        except (NotRunning, Trouble) as error:
            raise AssertionError(f"there is no status: {error}") from error

    def _told_status(self) -> dict[str, Any]:
        ended = self.command("status", "--json")
        assert ended.stdout, f"turnout status said nothing: {ended.stderr}"
        found: dict[str, Any] = json.loads(ended.stdout)
        return found

    def _config(self) -> Config:
        file = self.directory / "turnout.toml"
        if not file.exists():
            return config_of(BUILT_IN, None, {}, data=self.data)
        return load(file, self._environment, data=self.data)

    def account(self, source: str, destination: str) -> dict[str, Any]:
        """The row of `status` for a source and a destination."""
        rows = self.status()["rows"]
        return next(row for row in rows if (row["source"], row["destination"]) == (source, destination))

    def archived(self, source: str) -> list[dict[str, Any]]:
        """The messages in the archive; of one user, in the order in which they were accepted."""
        indexes = sorted((self.data / "archive" / source).glob("*/*/*.index"))
        return [json.loads(body) for index in indexes for body in messages(index)]

    def _command(self, words: Sequence[str]) -> list[str]:
        return [sys.executable, "-P", "-m", "collector.cli.main", *words]


@contextmanager
def running(
    directory: Path,
    toml: str | None = None,
    *,
    write_key: str = DEFAULT_KEY,
    port: int | None = None,
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    tls: Certificate | None = None,
) -> Iterator[Running]:
    """A `turnout up` in `directory` that takes messages; at the end it is stopped.

    `toml` becomes turnout.toml; without one the built-in configuration holds (write key `dev`). `write_key` is
    the one of that file which `post` shall use; `options` are further words for `up`. With a certificate
    (`certificate_in` of tests.certificates) it speaks https; clients need to trust `turnout.tls.authority`.
    """
    if tls is not None:
        toml = (toml or BUILT_IN) + tls.table()
    if toml is not None:
        (directory / "turnout.toml").write_text(toml)
    turnout = Running(directory, port or free_port(), write_key, environment or {}, tls)
    try:
        turnout.start(options)
        yield turnout
    finally:
        turnout.clean_up()


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens."""
    for port in random.sample(_PORTS, 100):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no port is free")
