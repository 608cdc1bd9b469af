"""A progress bar on standard error, where somebody looks at it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Advance(Protocol):
    """Says how much is done, and what is in the way ("": nothing)."""

    def __call__(self, done: int, trouble: str = "") -> None: ...


@contextmanager
def bar(what: str, total: int | None) -> Iterator[Advance]:
    """Nothing is shown where standard error is not a terminal. `total` None: nobody knows how much there is."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as shown:
        task = shown.add_task(what, total=total)

        def advance(done: int, trouble: str = "") -> None:
            shown.update(task, completed=done, description=trouble or what)

        yield advance
