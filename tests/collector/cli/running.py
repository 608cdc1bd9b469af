"""A real `turnout up` in a directory of its own."""

import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

PATIENCE = 30.0


class Up:
    """Starts at once; `expect` reads what it prints. Leaving the block kills whatever is left of it."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.directory = directory
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.printed = ""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "collector.cli.main", "up", "--port", str(self.port), "--workers", "1", *options],
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        children = self.children()
        self._process.kill()
        self._process.communicate()
        for pid in children:
            kill(pid)

    def listening(self) -> Self:
        self.expect("Ctrl-C stops")
        return self

    def expect(self, pattern: str) -> re.Match[str]:
        """The next match in what it prints; what was read before a match is not looked at again."""
        assert self._process.stdout is not None
        end = time.monotonic() + PATIENCE
        while (match := re.search(pattern, self.printed)) is None:
            assert select.select([self._process.stdout], [], [], max(0, end - time.monotonic()))[0], self.printed
            more = os.read(self._process.stdout.fileno(), 65_536)
            assert more, f"it ended without {pattern!r}: {self.printed}"
            self.printed += more.decode()
        self.printed = self.printed[match.end() :]
        return match

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self) -> int:
        """Its exit code, once it has ended; what it printed is in `printed`."""
        rest, _ = self._process.communicate(timeout=PATIENCE)
        self.printed += rest.decode()
        return self._process.returncode

    def stop(self) -> int:
        self.signal(signal.SIGINT)
        return self.end()

    def children(self) -> dict[int, str]:
        """The command lines of the processes that it started itself."""
        listing = subprocess.run(["ps", "-wweo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
        rows = [line.split(None, 2) for line in listing.splitlines()]
        return {int(row[0]): row[2] for row in rows if int(row[1]) == self._process.pid and len(row) == 3}

    def child(self, words: str) -> int:
        (pid,) = [pid for pid, command in self.children().items() if words in command]
        return pid


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def alive(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether it comes true in time."""
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
