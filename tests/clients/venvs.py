"""Virtual environments of their own for clients whose pins clash with ours or with each other's."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.node_setup import lacking

HERE = Path(__file__).parent
LOCKS = HERE / "python" / "locks"
VENVS = HERE / ".venvs"
_INSTALLS_WITHIN = 90
_NO_REGISTRY = ("Failed to fetch", "error sending request", "Could not connect", "dns error", "403", "503")


def programs_of(name: str) -> Path:
    """The folder of programs of the environment that `python/locks/NAME.txt` describes, made if it is not there.

    The lock files name every package with its hashes; `uv pip compile --generate-hashes` writes them.
    """
    lock = LOCKS / f"{name}.txt"
    home = VENVS / name
    VENVS.mkdir(exist_ok=True)
    with (VENVS / f"{name}.lock").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # one test run at a time
        wanted = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()
        done = home / ".installed"
        if not (done.exists() and done.read_text() == wanted):
            shutil.rmtree(home, ignore_errors=True)
            _install(home, lock)
            done.write_text(wanted)
    return home / "bin"


def _install(home: Path, lock: Path) -> None:
    _uv("venv", "--quiet", "--python", sys.executable, str(home))
    _uv("pip", "install", "--quiet", "--require-hashes", "--python", str(home / "bin" / "python"), "-r", str(lock))


def _uv(*words: str) -> None:
    program = Path(sys.executable).parent / "uv"
    if not program.exists():
        lacking("there is no uv beside Python; `make setup` brings it")
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    try:
        ended = subprocess.run(
            [str(program), *words], capture_output=True, check=False, env=environment, text=True,
            timeout=_INSTALLS_WITHIN,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        lacking(f"uv could not fetch the packages within {_INSTALLS_WITHIN} s")
    if ended.returncode == 0:
        return
    if any(words in ended.stderr for words in _NO_REGISTRY):
        lacking(f"uv cannot reach the package registry: {ended.stderr.strip().splitlines()[-1]}")
    pytest.fail(f"uv {' '.join(words)} failed:\n{ended.stderr}")
