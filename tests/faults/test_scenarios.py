"""The table of faults is whole, and what it says is there is there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.faults.page import BEGIN, END
from tests.faults.scenarios import SCENARIOS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reliability.md"
LAST = 65


@cache
def functions_of(file: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)}


def test_every_fault_is_tried_or_says_why_not() -> None:
    assert list(SCENARIOS) == [f"F{number:02d}" for number in range(1, LAST + 1)]
    for name, scenario in SCENARIOS.items():
        assert scenario.tests or scenario.why_not, name


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_tests_of_a_fault_are_there(name: str) -> None:
    for test in SCENARIOS[name].tests:
        file, _, function = test.partition("::")
        assert function in functions_of(ROOT / file), test


def test_every_scenario_that_is_tried_here_is_in_the_table() -> None:
    marked = re.compile(r'mark\.scenario\("(F\d\d)"\)')
    found = {name for file in Path(__file__).parent.glob("test_*.py") for name in marked.findall(file.read_text())}
    assert found <= set(SCENARIOS)


def test_the_page_has_a_line_for_every_fault_with_the_command_that_shows_it() -> None:
    table = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
    rows = re.findall(r"^\| (F\d\d) \| (.*?) \| (.*?) \|$", table, re.MULTILINE)
    shown = {name: (fault, how) for name, fault, how in rows}
    for name, scenario in SCENARIOS.items():
        command = scenario.command(name)
        how = " ".join(part for part in (f"`{command}`" if command else "", scenario.why_not) if part)
        assert shown.get(name) == (scenario.fault, how)


def test_the_name_of_a_fault_selects_its_tests(request: pytest.FixtureRequest) -> None:
    for item in request.session.items:
        node = item.nodeid.partition("[")[0]
        for name, scenario in SCENARIOS.items():
            assert (name in item.extra_keyword_matches) == (node in scenario.tests), item.nodeid
