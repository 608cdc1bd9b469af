"""Keeps the process tree of `turnout up` running: servers, collector, workers."""

import contextlib
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import msgspec

from worker.embedded import EmbeddedError, Server
from worker.leash import spawn

STOP_WITHIN = 15.0
"""Seconds a program gets to finish what it has in hand; a second Ctrl-C cuts that short."""

LONG = 5.0
"""Seconds after which somebody who waits for a start wants to know why."""

Say = Callable[[str], None]


class CannotStart(Exception):
    """`turnout up` cannot do its work, for a reason that trying again would not change."""


class Restarts(msgspec.Struct, frozen=True):
    """How long to wait before something that died is started again; all in seconds."""

    first: float = 0.5
    longest: float = 30.0
    calm: float = 60.0
    """Whoever lived this long died of something new."""

    def deaths(self, before: int, lived: float) -> int:
        """Deaths in a row, this one included."""
        return 1 if lived >= self.calm else before + 1

    def delay(self, deaths: int) -> float:
        return float(min(self.first * 2.0 ** min(deaths - 1, 16), self.longest))


RESTARTS = Restarts()


class Kept(Protocol):
    """Something that is kept running."""

    @property
    def name(self) -> str: ...
    def launch(self) -> None: ...
    def ended(self) -> str | None:
        """How it ended; None while it runs."""


class Program:
    """A child process of ours."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        self._process = spawn(self._command)

    def ended(self) -> str | None:
        if self._process is None or self._process.poll() is None:
            return None
        self.kill()  # children that it left behind
        return how_it_ended(self._process.returncode)

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def terminate(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def kill(self) -> None:
        """It and all its children: they are in a process group of their own."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


class KeptServer:
    """An embedded server as something that is kept running."""

    def __init__(self, name: str, server: Server) -> None:
        self.name = name
        self.server = server

    def launch(self) -> None:
        self.server.launch()

    def ended(self) -> str | None:
        return None if self.server.alive() else self.server.last_words(1) or "without a word"


class _Watch:
    """What the supervisor knows about one thing that it keeps running."""

    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        self.started = 0.0
        self.deaths = 0
        self.due: float | None = None

    def launch(self) -> None:
        self.started = time.monotonic()
        self.due = None
        self.kept.launch()


class Signals:
    """Turns the signals that matter into something to wait for."""

    def __init__(self) -> None:
        self.stops = 0
        self._reading, self._writing = socket.socketpair()

    @contextmanager
    def heard(self) -> Iterator["Signals"]:
        self._reading.settimeout(0)
        self._writing.settimeout(0)
        numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGCHLD]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # ignored under nohup
            numbers.append(signal.SIGHUP)
        before = {number: signal.signal(number, self._hear) for number in numbers}
        wakeup = signal.set_wakeup_fd(self._writing.fileno(), warn_on_full_buffer=False)
        try:
            yield self
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._reading.close()
            self._writing.close()

    def hurry(self) -> bool:
        """Somebody asked a second time."""
        return self.stops > 1

    def wait(self, seconds: float) -> None:
        """Until a signal comes or the time is over."""
        if select.select([self._reading], [], [], max(0.0, seconds))[0]:
            self._reading.recv(512)

    def _hear(self, number: int, _frame: object) -> None:
        if number != signal.SIGCHLD:
            self.stops += 1


class Supervisor:
    """Starts the servers, then the programs; watches over both; stops them in the opposite order."""

    def __init__(
        self,
        *,
        servers: Sequence[KeptServer],
        collector: Program,
        workers: Program,
        address: tuple[str, int],
        say: Say,
        restarts: Restarts = RESTARTS,
    ) -> None:
        self._servers = servers
        self._collector = collector
        self._workers = workers
        self._address = address
        self._say = say
        self._restarts = restarts
        self._watches: list[_Watch] = []

    def run(self, servers_ready: Callable[[], None], all_ready: Callable[[], None]) -> None:
        """Until a signal asks to stop. Raises CannotStart."""
        refuse_taken(*self._address)
        with Signals().heard() as signals:
            try:
                self._start_servers(signals)
                if not signals.stops:
                    servers_ready()
                    self._launch(self._collector)
                    self._launch(self._workers)
                    self._await_collector(signals, all_ready)
                self._keep(signals)
            finally:
                self._stop(signals)

    def _launch(self, kept: Kept) -> None:
        watch = _Watch(kept)
        self._watches.append(watch)
        watch.launch()

    def _start_servers(self, signals: Signals) -> None:
        try:
            for kept in self._servers:
                self._launch(kept)
            for kept in self._servers:
                self._await_server(kept, signals)
        except EmbeddedError as error:
            raise CannotStart(str(error)) from error

    def _await_server(self, kept: KeptServer, signals: Signals) -> None:
        told = time.monotonic() + LONG
        while not signals.stops and not kept.server.ready(within=0.25):
            if time.monotonic() > told:
                told = float("inf")
                self._say(f"the {kept.name} is still reading its file")

    def _await_collector(self, signals: Signals, all_ready: Callable[[], None]) -> None:
        while not signals.stops:
            if (how := self._collector.ended()) is not None:
                raise CannotStart(f"the {self._collector.name} ended at its start ({how})")
            if answers(*self._address):
                all_ready()
                return
            signals.wait(0.05)

    def _keep(self, signals: Signals) -> None:
        while not signals.stops:
            now = time.monotonic()
            for watch in self._watches:
                self._look_after(watch, now)
            due = [watch.due for watch in self._watches if watch.due is not None]
            # A signal may be lost when the pipe is full: so look up once in a while anyway.
            signals.wait(min([moment - now for moment in due] + [5.0]))

    def _look_after(self, watch: _Watch, now: float) -> None:
        if watch.due is None:
            how = watch.kept.ended()
            if how is None:
                return
            watch.deaths = self._restarts.deaths(watch.deaths, now - watch.started)
            delay = self._restarts.delay(watch.deaths)
            watch.due = now + delay
            self._say(f"the {watch.kept.name} ended ({how}): starting it again in {delay:g} s")
        elif watch.due <= now:
            try:
                watch.launch()
            except EmbeddedError as error:
                self._say(f"the {watch.kept.name} does not start: {error}")

    def _stop(self, signals: Signals) -> None:
        if signals.stops:
            self._say("stopping; Ctrl-C again to hurry")
        for program in (self._collector, self._workers):
            program.terminate()
            end = time.monotonic() + STOP_WITHIN
            while program.running() and time.monotonic() < end and not signals.hurry():
                signals.wait(0.2)
            if program.running():
                why = "as asked" if signals.hurry() else f"not stopped after {STOP_WITHIN:g} s"
                self._say(f"the {program.name}: {why}, killed; nothing that was accepted is lost")
            program.kill()
        for kept in reversed(self._servers):
            kept.server.stop(patience=2.0 if signals.hurry() else 10.0)


def how_it_ended(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def refuse_taken(host: str, port: int) -> None:
    """Raises CannotStart, with the reason, when nobody could listen there now."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.create_server(address[:2], family=family):
            return
    except OSError as error:
        why = f"{error.strerror or error}: choose another with --port or --host"
        raise CannotStart(f"cannot listen on {host}:{port}: {why}") from error


def answers(host: str, port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        with socket.create_connection((reachable(host), port), timeout=0.5):
            return True
    except OSError:
        return False


def reachable(host: str) -> str:
    """Where a client on this machine finds a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104  # compared, not bound
