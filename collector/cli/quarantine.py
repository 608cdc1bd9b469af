"""`turnout quarantine`: what clients sent and was refused. Look at it, repair it, release it, let go of it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from collector.cli import picking
from collector.cli.asking import database_of, fetch, log_of
from collector.cli.dead import show, tell
from collector.cli.options import AsJson, ConfigFile, DataDirectory, configured, reaching
from collector.cli.table import counted
from collector.cli.trouble import FOUND, WRONG, Trouble

if TYPE_CHECKING:
    from collector.config import Config
    from collector.releasing import Released, Rewrite
    from destinations.sql.engine import Database
    from worker.refusals.desk import Refusal, Wanted

MOST_TOLD = 20

State = Annotated[
    Literal["held", "released", "discarded", "all"], typer.Option("--state", help="Only those in this state.")
]
File = Annotated[str | None, typer.Option(help="What to take in its place (one ID only); - for standard input.")]

NONE = "nothing of that kind is in quarantine"

quarantine = typer.Typer(name="quarantine", help="What clients sent and was refused, with what is wrong.")


@quarantine.command("list")
def list_refusals(
    source: picking.OfSource = None,
    rule: picking.OfRule = None,
    since: picking.Since = None,
    until: picking.Until = None,
    state: State = "held",
    group: picking.Grouped = False,
    most: picking.Most = 20,
    config: ConfigFile = None,
    data: DataDirectory = None,
    as_json: AsJson = False,
) -> None:
    """Show what was refused last; with --group, the broken rules."""
    wanted = wanted_of(source, rule, since, until, state=state)
    from collector.cli import quarantine_text
    from worker.refusals import desk

    now_ms = int(time.time() * 1000)
    with refusals_of(configured(config, data)) as engine:
        if group:
            groups = desk.groups(engine, wanted)[:most]
            show(groups, quarantine_text.grouped(groups, now_ms), as_json, none=NONE)
        else:
            refusals = desk.newest(engine, wanted, most)
            shown = [quarantine_text.as_json(each) for each in refusals]
            show(shown, quarantine_text.listed(refusals, now_ms), as_json, none=NONE)


@quarantine.command("show")
def show_refusal(
    number: picking.Number, config: ConfigFile = None, data: DataDirectory = None, as_json: AsJson = False
) -> None:
    """Show all that is known of one.

    Every violation, and what was sent.
    """
    from collector.cli import quarantine_text

    with refusals_of(configured(config, data)) as engine:
        refusal = found(engine, number)
    show([quarantine_text.as_json(refusal)], quarantine_text.whole(refusal), as_json, none=NONE)


@quarantine.command("release")
def release(
    numbers: picking.Numbers = None,
    source: picking.OfSource = None,
    rule: picking.OfRule = None,
    since: picking.Since = None,
    until: picking.Until = None,
    everything: picking.Everything = False,
    changes: picking.Changes = None,
    file: File = None,
    yes: picking.Yes = False,
    config: ConfigFile = None,
    data: DataDirectory = None,
    as_json: AsJson = False,
) -> None:
    """Judge it again, and take what is valid now.

    It counts as received when it came first. Ends with 1 when something had
    to stay.

    turnout quarantine release 7 --set userId=u1
    """
    filters = (source, rule, since, until)
    picking.must_pick(numbers, filters, everything=everything)
    if file is not None and (changes or numbers is None or len(numbers) != 1):
        raise Trouble("--file goes with exactly one ID, and without --set", code=WRONG)
    wanted = wanted_of(*filters, numbers=numbers, state="held")
    settings = reaching(configured(config, data))
    with refusals_of(settings) as engine:
        known(engine, numbers)
        done = released(settings, engine, wanted, rewriting(changes or [], file), yes=yes or bool(numbers))
    tell_release(done, as_json)


def released(settings: "Config", engine: "Database", wanted: "Wanted", rewrite: "Rewrite", *, yes: bool) -> "Released":
    from collector import releasing
    from collector.cli.progress import steps
    from worker.refusals import desk

    numbers = desk.in_order(engine, wanted)
    if numbers:
        picking.confirm(f"Release {counted(len(numbers), 'refusal')}?", yes=yes)
    with log_of(settings) as client, steps("releasing", len(numbers)) as done:
        return releasing.release(client, engine, settings, numbers, rewrite=rewrite, done=done)


def rewriting(changes: list[str], file: str | None) -> "Rewrite":
    """What to judge in the place of what was sent."""
    import msgspec

    from collector.cli import amending

    replacement = None if file is None else msgspec.json.encode(amending.from_file(file))

    def rewritten(refusal: "Refusal") -> bytes:
        if replacement is not None or not changes:
            return refusal.raw if replacement is None else replacement
        message = amending.parsed(refusal.raw, f"what was sent as {refusal.id} cannot be changed with --set: it")
        return msgspec.json.encode(amending.amended(message, changes))

    return rewritten


def tell_release(done: "Released", as_json: bool) -> None:
    import msgspec

    if as_json:
        typer.echo(msgspec.json.encode(done).decode())
    else:
        typer.echo(f"released {counted(done.released, 'refusal')}, {counted(done.messages, 'message')}")
        for each in done.still[:MOST_TOLD]:
            typer.echo(f"{each.id} stays: {each.wrong}", err=True)
        if len(done.still) > MOST_TOLD:
            typer.echo(f"{len(done.still) - MOST_TOLD} more stay", err=True)
    if done.still:
        raise typer.Exit(FOUND)


@quarantine.command("discard")
def discard(
    reason: picking.Why,
    numbers: picking.Numbers = None,
    source: picking.OfSource = None,
    rule: picking.OfRule = None,
    since: picking.Since = None,
    until: picking.Until = None,
    everything: picking.Everything = False,
    yes: picking.Yes = False,
    config: ConfigFile = None,
    data: DataDirectory = None,
    as_json: AsJson = False,
) -> None:
    """Let go of what was refused.

    The same thing sent again is counted, and does not come back.
    """
    filters = (source, rule, since, until)
    picking.must_pick(numbers, filters, everything=everything)
    wanted = wanted_of(*filters, numbers=numbers, state="held")
    from worker.refusals import desk

    with refusals_of(configured(config, data)) as engine:
        known(engine, numbers)
        if there := desk.count(engine, wanted):
            picking.confirm(f"Discard {counted(there, 'refusal')}?", yes=yes or bool(numbers))
        gone = desk.discard(engine, wanted, reason=reason, now_ms=int(time.time() * 1000))
    tell({"discarded": gone}, f"discarded {counted(gone, 'refusal')}", as_json)


def wanted_of(
    source: str | None,
    rule: str | None,
    since: str | None,
    until: str | None,
    *,
    numbers: list[int] | None = None,
    state: str,
) -> "Wanted":
    from worker.refusals.desk import Wanted

    now = time.time()
    picked: Any = None if state == "all" else state
    return Wanted(
        ids=tuple(numbers or ()),
        source=source,
        rule=rule,
        since_ms=picking.moment(since, now),
        until_ms=picking.moment(until, now),
        state=picked,
    )


@contextmanager
def refusals_of(settings: "Config") -> "Iterator[Database]":
    """The database, with what still lay in the log. Raises Trouble."""
    from worker.refusals.moving import move_refusals

    with database_of(settings) as engine:
        fetch(settings, engine, move_refusals)
        yield engine


def known(engine: "Database", numbers: list[int] | None) -> None:
    """Raises Trouble for a number that nothing has."""
    for number in numbers or []:
        found(engine, number)


def found(engine: "Database", number: int) -> "Refusal":
    from worker.refusals import desk

    refusal = desk.one(engine, number)
    if refusal is None:
        raise Trouble(f"there is no refusal {number}")
    return refusal
