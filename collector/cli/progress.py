"""A bar for long work: on standard error, and only if that is a terminal."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol


@contextmanager
def steps(what: str, total: int) -> "Iterator[Callable[[int], None]]":
    """To be called with how much has been done since the last call."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)


class Advance(Protocol):
    """Says how much is done by now, and what is in the way ("": nothing)."""

    def __call__(self, done: int, trouble: str = "") -> None: ...


@contextmanager
def bar(what: str, total: int | None) -> Iterator[Advance]:
    """For work that may meet trouble, or (`total` None) of which nobody knows how much there is."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as shown:
        task = shown.add_task(what, total=total)

        def advance(done: int, trouble: str = "") -> None:
            shown.update(task, completed=done, description=trouble or what)

        yield advance


@contextmanager
def rows(what: str, total: int | None) -> "Iterator[Callable[[int, int], None]]":
    """For rows of a file: to be called with how much of it is done by now, in bytes or rows, and how many rows."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    started = time.monotonic()
    counted = TextColumn("{task.fields[rows]:,} rows, {task.fields[speed]:,.0f}/s")
    columns = (TextColumn(what), BarColumn(), TaskProgressColumn(), counted, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as shown:
        task = shown.add_task(what, total=total, rows=0, speed=0.0)

        def advance(done: int, number: int) -> None:
            speed = number / max(time.monotonic() - started, 0.001)
            shown.update(task, completed=done, rows=number, speed=speed)

        yield advance
