"""At the end of a run, the table of what each fault cost, also when several processes share the tests."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.faults import report
from tests.faults.report import Row

ROWS = pytest.StashKey[list[Row]]()
SENT = "fault rows"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """One of several processes hands its rows to the one that tells."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[SENT] = [asdict(row) for row in session.config.stash.get(ROWS, [])]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    rows = node.config.stash.setdefault(ROWS, [])
    rows += [Row(**fields) for fields in getattr(node, "workeroutput", {}).get(SENT, [])]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    rows = config.stash.get(ROWS, [])
    if not rows:
        return
    terminalreporter.section("what each fault cost")
    for line in report.lines(rows):
        terminalreporter.write_line(line)
    if file := os.environ.get(report.VARIABLE):
        report.write(rows, Path(file))
