"""The table of what each fault cost, as a terminal and a page of the documentation show it."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

VARIABLE = "TURNOUT_SOAK_TABLE"


@dataclass(frozen=True)
class Row:
    """What one scenario did to the messages that were accepted meanwhile, at the destination that fared worst."""

    scenario: str
    fault: str
    messages: int
    lost: int
    doubled: int
    disordered: int
    recovery_s: float | None
    """From the end of the fault until all that was accepted by then had arrived; None: nothing to recover from."""


TITLES = {
    "scenario": "",
    "fault": "fault",
    "messages": "messages",
    "lost": "lost",
    "doubled": "doubled",
    "disordered": "out of order",
    "recovery_s": "recovery",
}
assert list(TITLES) == [field.name for field in fields(Row)]


def cells(row: Row) -> list[str]:
    found = [str(value) for value in astuple(row)]
    found[-1] = "" if row.recovery_s is None else f"{row.recovery_s:.1f} s"
    return found


def lines(rows: Sequence[Row]) -> list[str]:
    """For a terminal."""
    table = [list(TITLES.values()), *(cells(row) for row in sorted(rows, key=lambda row: row.scenario))]
    widths = [max(len(line[column]) for line in table) for column in range(len(TITLES))]
    return [
        "  ".join(_set(cell, width, index) for index, (cell, width) in enumerate(zip(line, widths, strict=True)))
        for line in table
    ]


def _set(cell: str, width: int, column: int) -> str:
    return cell.ljust(width) if column < 2 else cell.rjust(width)


def markdown(rows: Sequence[Row]) -> str:
    table = [list(TITLES.values()), ["---"] * 2 + ["---:"] * (len(TITLES) - 2)]
    table += [cells(row) for row in sorted(rows, key=lambda row: row.scenario)]
    return "".join(f"| {' | '.join(line)} |\n" for line in table)


def write(rows: Sequence[Row], file: Path) -> None:
    file.write_text(markdown(rows))
