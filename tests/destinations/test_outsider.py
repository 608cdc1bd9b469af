"""A destination from a package of its own is installed, found and used as any outsider's would be."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.receiver import Receiver

EXAMPLE = Path(__file__).parents[2] / "examples" / "turnout-greeting"

DELIVER = """
import sys, time
from destinations.registry import make, names
from destinations.samples import samples

assert "greeting" in names(), names()
table = {"url": sys.argv[1], "token": "t0ken", "allow_private": True}
greeting = make("hello", "greeting", table, place="turnout.toml [destinations.hello]")
batch = samples()
outcomes = greeting.deliver(list(batch.values()), time.monotonic() + 30)
greeting.close()
for name, outcome in zip(batch, outcomes, strict=True):
    print(name, type(outcome).__name__)
"""


def installer() -> list[str]:
    """The command that installs into a directory with what is here already."""
    common = ["install", "--quiet", "--no-deps", "--no-build-isolation"]
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", *common, "--no-index", "--disable-pip-version-check"]
    if uv := shutil.which("uv"):
        return [uv, "pip", *common, "--offline", "--python", sys.executable]
    if os.environ.get("CI"):
        pytest.fail("neither pip nor uv is installed")
    pytest.skip("neither pip nor uv is installed")


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the example as its author has it, and `site` with it installed."""
    place = tmp_path_factory.mktemp("outside")
    copy = shutil.copytree(EXAMPLE, place / "turnout-greeting", ignore=shutil.ignore_patterns("__pycache__"))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [*installer(), "--target", str(place / "site"), str(copy)]
    subprocess.run(command, check=True, cwd=place, env=os.environ | {"PATH": path})
    return place


def run(outside: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(outside / "site"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=outside, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_an_outsiders_destination_is_found_and_delivers(outside: Path) -> None:
    with Receiver() as receiver:
        shown = run(outside, "-c", DELIVER, receiver.url)
        outcomes = dict(line.rsplit(" ", 1) for line in shown.splitlines())
        greetings = [request.json()["text"] for request in receiver.requests]
    assert outcomes["identify full"] == "Delivered"
    assert outcomes["track full"] == "Filtered"
    assert "Hello, Ada Lovelace!" in greetings
    assert {request.headers["authorization"] for request in receiver.requests} == {"Bearer t0ken"}
    assert len(greetings) == list(outcomes.values()).count("Delivered") == 4


def test_its_own_tests_pass_where_it_is_installed(outside: Path) -> None:
    shown = run(outside, "-m", "pytest", "-q", "-p", "no:cacheprovider", "turnout-greeting/tests")
    assert "passed" in shown
