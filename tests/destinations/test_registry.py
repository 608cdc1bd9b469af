"""Destinations are found by name among what is installed, and only the one asked for is imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from destinations.adapter import Destination
from destinations.builtin.console import Console
from destinations.errors import BrokenPlugin, SettingsError, UnknownType
from destinations.registry import load, make, names


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the metadata of a distribution; tests write its entry points."""
    metadata = tmp_path / "turnout_odd-1.2.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: turnout-odd\nVersion: 1.2\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def offer(installed: Path, line: str) -> None:
    (installed / "turnout_odd-1.2.dist-info" / "entry_points.txt").write_text(f"[turnout.destinations]\n{line}\n")


def test_the_built_ins_are_there() -> None:
    assert {"archive", "console", "file", "webhook"} <= set(names())
    assert load("console") is Console


def test_only_the_one_asked_for_is_imported() -> None:
    script = (
        "import sys; from destinations.registry import names, load; names(); "
        "assert not [name for name in sys.modules if name.startswith('destinations.builtin')]; load('console'); "
        "assert [name for name in sys.modules if name.startswith('destinations.builtin.')] "
        "== ['destinations.builtin.console']; assert 'urllib3' not in sys.modules and 'zstandard' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_type_that_is_not_there_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownType, match="no destination of type 'webhok'; did you mean 'webhook'"):
        load("webhok")
    with pytest.raises(UnknownType, match="installed are archive, console"):
        load("zzz")


@pytest.mark.parametrize(
    ("module", "line", "text"),
    [
        (None, "odd = odd_gone:Odd", "odd_gone:Odd of turnout-odd 1.2 does not load: ModuleNotFoundError"),
        ("Other = 1", "odd = odd_named:Odd", "of turnout-odd 1.2 does not load: AttributeError"),
        ("Odd = (", "odd = odd_syntax:Odd", "of turnout-odd 1.2 does not load: SyntaxError"),
        ("1 / 0", "odd = odd_raises:Odd", "of turnout-odd 1.2 does not load: ZeroDivisionError"),
        ("Odd = 1", "odd = odd_value:Odd", "of turnout-odd 1.2 is not a Destination"),
        (
            "from destinations.adapter import Destination\nclass Odd(Destination): pass",
            "odd = odd_shape:Odd",
            "of turnout-odd 1.2 does not name its settings",
        ),
    ],
)
def test_a_broken_plug_in_is_told_with_its_distribution(
    installed: Path, module: str | None, line: str, text: str
) -> None:
    offer(installed, line)
    if module is not None:
        (installed / f"{line.split()[2].split(':', maxsplit=1)[0]}.py").write_text(module)
    assert "odd" in names()
    with pytest.raises(BrokenPlugin, match=text):
        load("odd")
    with pytest.raises(SettingsError) as caught:
        make("x", "odd", {}, place="turnout.toml [destinations.x]")
    assert str(caught.value).startswith("turnout.toml [destinations.x] type: ")
    assert issubclass(load("console"), Destination)


def test_a_name_offered_twice_is_nobodys(installed: Path) -> None:
    offer(installed, "console = odd_console:Console")
    with pytest.raises(BrokenPlugin, match=r"offered more than once.*turnout-odd 1\.2"):
        load("console")
