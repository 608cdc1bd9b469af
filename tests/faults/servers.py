"""Valkey servers that a test may kill, freeze, starve, shift in time and start again with what they had."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import libfaketime
import redis

from tests.running import free_port
from tests.waiting import eventually
from worker import connect
from worker.embedded import binary

LIKE_THE_EMBEDDED = {
    "appendonly": "yes",
    "appendfsync": "always",
    "maxmemory-policy": "noeviction",
    "stream-node-max-bytes": "16384",
    "stream-node-max-entries": "100",
    "save": "",
}


class Clock:
    """The time of day that a process sees, as a shift in a file which it looks at each time."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.moved = False
        self.shift(0)

    def shift(self, seconds: int) -> None:
        self.moved = self.moved or seconds != 0
        fresh = self._file.with_suffix(".fresh")
        fresh.write_text(f"{seconds:+d}\n")
        fresh.replace(self._file)

    @property
    def environment(self) -> dict[str, str]:
        """What makes a process that is started with it look there."""
        return {
            "LD_PRELOAD": str(Path(libfaketime.__file__).parent / "vendor/libfaketime/src/libfaketime.so.1"),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }


class ValkeyServer:
    """One server on a port of its own, with the options of the embedded log server unless told otherwise."""

    def __init__(
        self,
        directory: Path,
        options: Mapping[str, str] | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        before: Sequence[str] = (),
    ) -> None:
        """`before`: a program, with its words, that runs the server (a tracer, for example)."""
        self.directory = directory
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._options: dict[str, str] = {**LIKE_THE_EMBEDDED, **(options or {})}
        self._environment = {**os.environ, **(environment or {})}
        self._before = list(before)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "ValkeyServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def client(self) -> "redis.Redis":
        return connect.client(self.url, timeout=5.0)

    @property
    def appended(self) -> Path:
        """The part of the append-only file that grows."""
        return max(self.directory.glob("appendonlydir/*.incr.aof"), key=lambda path: path.stat().st_mtime_ns)

    def launch(self) -> None:
        """Start the process, without waiting for it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        words = [str(binary()), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.directory)]
        words += [word for name, value in self._options.items() for word in (f"--{name}", value)]
        with (self.directory.parent / f"{self.directory.name}.txt").open("ab") as output:
            self._process = subprocess.Popen(
                [*self._before, *words], env=self._environment, stdout=output, stderr=subprocess.STDOUT
            )

    def start(self) -> None:
        self.launch()
        eventually(self.answers, within=60, what=f"the server in {self.directory} answered")

    def answers(self) -> bool:
        assert self.running(), f"the server in {self.directory} ended"
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    def loading(self) -> bool:
        try:
            self.client.ping()
        except redis.BusyLoadingError:
            return True
        except redis.RedisError:
            pass
        return False

    @contextmanager
    def loading_slowly(self, microseconds: int) -> Iterator[None]:
        """A server launched inside of `with` takes so much longer for each command of its file."""
        self._options |= {"key-load-delay": str(microseconds)}
        try:
            yield
        finally:
            del self._options["key-load-delay"]

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """As from a power cut, except that the system still writes what it was given."""
        if self._process is not None:
            self.send(signal.SIGCONT)
            self.send(signal.SIGKILL)
            self._process.wait()

    def send(self, number: signal.Signals) -> None:
        if self.running():
            assert self._process is not None
            os.kill(self._process.pid, number)

    @property
    def pid(self) -> int:
        assert self._process is not None, "start it first"
        return self._process.pid

    def restart(self) -> None:
        self.kill()
        self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It does nothing at all inside of `with`: it hangs, as far as others can tell."""
        self.send(signal.SIGSTOP)
        try:
            yield
        finally:
            self.send(signal.SIGCONT)

    def set(self, **options: Any) -> None:
        """CONFIG SET, with _ for -."""
        for name, value in options.items():
            self.client.config_set(name.replace("_", "-"), value)
