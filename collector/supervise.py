"""Keeps the process tree of `turnout up` running: servers, collector, workers."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from collector.reaching import answers
from collector.signals import Signals
from worker.embedded import EmbeddedError, Server
from worker.leash import spawn
from worker.offspring import how_it_ended

STOP_WITHIN = 15.0
"""Seconds a program gets to finish what it has in hand; a second Ctrl-C cuts that short."""

LOOK_EVERY = 1.0

LONG = 5.0
"""Seconds after which somebody who waits for a start wants to know why."""

Say = Callable[[str], None]


class CannotStart(Exception):
    """`turnout up` cannot do its work, for a reason that trying again would not change."""


class Standing(Protocol):
    """The configuration in force."""

    def reload(self) -> bool:
        """Read it anew now; whether the others should too."""

    def look(self) -> None:
        """See whether its file has changed."""


class Restarts(msgspec.Struct, frozen=True):
    """How long to wait before something that died is started again; all in seconds."""

    first: float = 0.5
    longest: float = 5.0
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

    def __init__(self, name: str, command: Sequence[str], *, pass_fds: Sequence[int] = ()) -> None:
        self.name = name
        self._command = command
        self._pass_fds = pass_fds
        self._process: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        self._process = spawn(self._command, pass_fds=self._pass_fds)

    def ended(self) -> str | None:
        if self._process is None or self._process.poll() is None:
            return None
        self.kill()  # children that it left behind
        return how_it_ended(self._process.returncode)

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def terminate(self) -> None:
        self.send(signal.SIGTERM)

    def send(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

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


class Supervisor:
    """Starts the servers, then the programs; watches over both; stops them in the opposite order."""

    def __init__(
        self,
        *,
        servers: Sequence[KeptServer],
        collector: Program,
        workers: Program,
        url: str,
        standing: Standing,
        say: Say,
        restarts: Restarts = RESTARTS,
    ) -> None:
        self._servers = servers
        self._collector = collector
        self._workers = workers
        self._url = url
        self._standing = standing
        self._say = say
        self._restarts = restarts
        self._watches: list[_Watch] = []

    def run(self, servers_ready: Callable[[], None], all_ready: Callable[[], None]) -> None:
        """Until a signal asks to stop. Raises CannotStart."""
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
            if answers(self._url):
                all_ready()
                return
            signals.wait(0.05)

    def _keep(self, signals: Signals) -> None:
        while not signals.stops:
            now = time.monotonic()
            for watch in self._watches:
                self._look_after(watch, now)
            if signals.reload():
                self._reload()
            self._standing.look()
            due = [watch.due for watch in self._watches if watch.due is not None]
            # A signal may be lost when the pipe is full: so look up once in a while anyway.
            signals.wait(min([moment - now for moment in due] + [LOOK_EVERY]))

    def _reload(self) -> None:
        """A configuration with a mistake is told to nobody else."""
        if self._standing.reload():
            for program in (self._collector, self._workers):
                program.send(signal.SIGHUP)

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
