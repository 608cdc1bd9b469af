"""A wheel of Turnout brings the library for browsers along, with its licence; the repository does not."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from collector.browser.published import BESIDE, LICENCE, PINS, SCRIPT, present
from collector.browser.shelf import Shelf
from tests.clients.node_setup import lacking

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    directory = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(directory)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, text=True, timeout=100)
    assert built.returncode == 0, built.stdout + built.stderr
    if not list(present([BESIDE])):
        lacking(f"the library for browsers cannot be fetched: {built.stdout}{built.stderr}")
    (file,) = directory.glob("*.whl")
    return zipfile.ZipFile(file)


def test_a_wheel_brings_the_library_and_its_licence(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path)
    place = tmp_path / "collector" / "browser" / "published"
    for pin in PINS:
        assert (place / pin.version / LICENCE).read_text().startswith("The MIT License")
        assert (place / pin.version / SCRIPT).stat().st_size > 100_000
    library = Shelf([place]).library()
    assert library is not None
    assert library.version == PINS[0].version
    assert {name.partition(".")[0] for name in library.chunks} >= {
        "407",
        "ajs-destination",
        "queryString",
        "auto-track",
    }


def test_a_wheel_brings_nothing_of_the_tests(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.startswith("turnout-")} == {"collector", "destinations", "schemas", "worker"}


def test_the_repository_does_not_hold_it() -> None:
    ignored = subprocess.run(["git", "check-ignore", "-q", str(BESIDE / "x" / SCRIPT)], cwd=ROOT, check=False)
    assert ignored.returncode in (0, 128), "it would be committed"  # 128: there is no repository here
