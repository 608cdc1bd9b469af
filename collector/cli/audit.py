"""`turnout audit`: proves that every message is where it belongs."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.asking import stores_for
from collector.cli.options import AsJson, ConfigFile, DataDirectory, configured, reaching
from collector.cli.picking import moment
from collector.cli.table import counted, table, wrapped
from collector.cli.trouble import FOUND, WRONG, Trouble

if TYPE_CHECKING:
    from worker.audit.report import Broken, Report


def audit(
    config: ConfigFile = None,
    data: DataDirectory = None,
    source: Annotated[str | None, typer.Option("--source", "-s", help="Only this source.")] = None,
    since: Annotated[str | None, typer.Option(help="Only messages since then: 2h (ago), 2024-02-29T12:00Z.")] = None,
    until: Annotated[str | None, typer.Option(help="Only messages before then.")] = None,
    most: Annotated[int, typer.Option("--most", "-n", min=1, max=100_000, help="Name so many at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Prove that no message is missing.

    Reads the archive, the log, what was told of deliveries and the dead
    letters, and holds them against each other while traffic goes on. Ends
    with 1 when a message is in none of these places, or in two.
    """
    settings = reaching(configured(config, data))
    if source is not None and source not in settings.sources:
        raise Trouble(f"there is no source {source!r}; there are {', '.join(settings.sources)}", code=WRONG)
    import time

    import msgspec

    from worker.audit.auditing import Asked
    from worker.audit.auditing import audit as audited

    now = time.time()
    asked = Asked(
        source=source,
        since_ms=moment(since, now) or 0,
        until_ms=moment(until, now),
        most=most,
    )
    with stores_for(settings) as stores, _progress() as progress:
        report = audited(stores, asked, progress)
    typer.echo(msgspec.json.encode(report).decode() if as_json else "\n".join(lines(report)))
    if not report.balances:
        raise typer.Exit(FOUND)


def lines(report: "Report") -> Iterator[str]:
    from worker.lines import line_of

    heads = ("line", "destination", "accepted", "delivered", "filtered", "waiting", "dead", "broken")
    yield from table(
        heads,
        [
            (one.line, one.destination, one.accepted, one.delivered, one.filtered, one.waiting, one.dead, one.broken)
            for one in report.accounts
            if one.accepted or not line_of(one.line).way
        ],
    )
    yield ""
    for broken in report.broken:
        yield from _broken(broken)
    remarks = [*(f"accounts: {each}" for each in report.differences), *(f"note: {each}" for each in report.notes)]
    for remark in remarks:
        yield from wrapped(remark)
    yield "every message is in exactly one place" if report.balances else _verdict(report)


def _broken(broken: "Broken") -> Iterator[str]:
    name = broken.message_id or "a message that nobody has any more"
    yield f"BROKEN {name}: {broken.line} to {broken.destination}, p{broken.partition:02d} {broken.position}:"
    yield f"  {broken.wrong}"


def _verdict(report: "Report") -> str:
    broken = sum(account.broken for account in report.accounts)
    found = [counted(broken, "message") + " out of place"] if broken else []
    found += [counted(len(report.differences), "difference") + " in the accounts"] if report.differences else []
    return ", ".join(found)


@contextmanager
def _progress() -> "Iterator[Callable[[int, int], None]]":
    """A bar on a terminal, silence elsewhere."""
    if not sys.stderr.isatty():
        yield lambda done, of: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("partitions", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
