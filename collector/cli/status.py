"""`turnout status`: the accounts."""

from typing import TYPE_CHECKING

import typer

from collector.cli import spooled
from collector.cli.asking import log_of
from collector.cli.options import AsJson, ConfigFile, DataDirectory, configured, reaching
from collector.cli.table import count, counted, span, table, wrapped
from collector.cli.trouble import FOUND, Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.status import Condition, Dedupe, Row, Status


def status(config: ConfigFile = None, data: DataDirectory = None, as_json: AsJson = False) -> None:
    """Show what came in, and what became of it.

    For each source and destination: received = delivered + filtered + waiting
    + dead. Ends with 1 when something calls for somebody: a destination is out,
    a message waits for too long, a worker is silent, a canary did not arrive,
    messages wait in the spool of this machine, or the log is less durable than
    configured.
    """
    settings = reaching(configured(config, data))
    import time

    import msgspec

    from collector.spool.status import read_status
    from worker import status as accounts

    spool = read_status(settings.data)
    waiting = spooled.troubles(spool, time.time())
    try:
        with log_of(settings) as client:
            found = accounts.read(client, settings)
    except Trouble as trouble:
        raise Trouble(*waiting, *trouble.lines) from trouble
    everything = {**msgspec.to_builtins(found), "spool": msgspec.to_builtins(spool)}
    typer.echo(
        msgspec.json.encode(everything).decode()
        if as_json
        else "\n".join([*lines(found), *(line for one in waiting for line in wrapped(one))])
    )
    if troubles(found) or waiting:
        raise typer.Exit(FOUND)


def lines(found: "Status") -> list[str]:
    heads = ("source", "destination", "received", "delivered", "filtered", "waiting", "dead", "oldest")
    asked, intake = _intake(found)
    server = found.durability
    return [
        *table(heads, [_cells(row) for row in found.rows]),
        "",
        *table(asked, intake),
        "",
        f"durability  {server.name} (appendonly {server.appendonly}, appendfsync {server.appendfsync})",
        f"dedupe      {_window(found.dedupe)}",
        *_processes(found),
        *(line for condition in found.conditions for line in _condition(condition)),
        *(line for trouble in troubles(found) for line in wrapped(trouble)),
    ]


def troubles(found: "Status") -> list[str]:
    kept = [
        f"warning: {one.source} keeps {counted(one.waiting, 'message')} for {one.destination}, "
        "which it no longer goes to: configure it again, or give them up with "
        f"`turnout detach {one.source} {one.destination}`"
        for one in found.strays
    ]
    calls = [f"alarm: {alarm.words}" for alarm in found.alarms]
    return [*kept, *(f"warning: {trouble}" for trouble in found.durability.troubles), *calls]


def _processes(found: "Status") -> list[str]:
    alive = ", ".join(counted(number, _ROLES.get(role, role)) for role, number in sorted(found.processes.items()))
    return [f"processes   {alive}"] if alive else []


_ROLES = {"workers": "parent of workers"}


def _condition(condition: "Condition") -> "Iterator[str]":
    """Nothing that calls for somebody: what is out stands among the alarms."""
    if condition.aside:
        yield f"aside       {counted(condition.aside, 'message')} for {condition.destination}"
    if condition.detached:
        yield f"detached    {condition.destination} from {', '.join(condition.detached)}: it gets them from the archive"


def _cells(row: "Row") -> tuple[str | int, ...]:
    counts = (row.received, row.delivered, row.filtered, row.waiting, row.dead)
    return (row.source, row.destination, *counts, span(row.oldest_waiting_seconds))


def _window(dedupe: "Dedupe") -> str:
    """What is in force first: a bound on ids can make the window shorter than configured."""
    configured = span(dedupe.configured_seconds)
    short = "" if dedupe.in_force_seconds >= dedupe.configured_seconds else f" ({configured} configured)"
    return f"{span(dedupe.in_force_seconds)} in force{short}, {count(dedupe.ids)} of {count(dedupe.most_ids)} ids"


def _intake(found: "Status") -> tuple[tuple[str, ...], list[tuple[str | int, ...]]]:
    """What sources sent; what was dropped of users who are to be forgotten only where there is some."""
    heads: tuple[str, ...] = ("source", "received", "duplicates", "refused")
    rows: list[tuple[str | int, ...]] = [
        (one.source, one.received, one.duplicates, one.refused) for one in found.intake
    ]
    if not any(one.suppressed for one in found.intake):
        return heads, rows
    return (*heads, "suppressed"), [(*row, one.suppressed) for row, one in zip(rows, found.intake, strict=True)]
