"""`turnout dead`: messages that a destination did not get. Look at them, send them again, let go of them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from collector.cli import picking
from collector.cli.asking import database_of, fetch, log_of
from collector.cli.options import AsJson, ConfigFile, DataDirectory, configured, reaching
from collector.cli.table import counted
from collector.cli.trouble import FOUND, WRONG, Trouble

if TYPE_CHECKING:
    from collector.config import Config
    from destinations.sql.engine import Database
    from worker.letters.desk import Letter, Wanted

State = Annotated[
    Literal["dead", "retrying", "retried", "discarded", "all"],
    typer.Option(help="Only those in this state."),
]
Format = Annotated[Literal["jsonl", "csv"], typer.Option("--format", help="JSON lines with everything, or a table.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="The file to write; else standard output.")]
File = Annotated[str | None, typer.Option(help="The message to put in its place; - for standard input.")]

NONE = "there are no such dead letters"

dead = typer.Typer(name="dead", help="Messages that a destination did not get, with the reason.")


@dead.command("list")
def list_letters(
    destination: picking.OfDestination = None,
    source: picking.OfSource = None,
    code: picking.WithCode = None,
    cause: picking.OfCause = None,
    event: picking.OfEvent = None,
    user: picking.OfUser = None,
    since: picking.Since = None,
    until: picking.Until = None,
    message_id: picking.WithMessageId = None,
    state: State = "dead",
    group: picking.Grouped = False,
    most: picking.Most = 20,
    config: ConfigFile = None,
    data: DataDirectory = None,
    as_json: AsJson = False,
) -> None:
    """Show the newest dead letters; with --group, their causes."""
    wanted = wanted_of(destination, source, code, cause, event, user, message_id, since, until, state=state)
    from collector.cli import dead_text
    from worker.letters import desk

    now_ms = int(time.time() * 1000)
    with letters_of(configured(config, data)) as engine:
        if group:
            groups = desk.groups(engine, wanted)[:most]
            show(groups, dead_text.grouped(groups, now_ms), as_json, none=NONE)
        else:
            letters = desk.newest(engine, wanted, most)
            show(letters, dead_text.listed(letters, now_ms), as_json, none=NONE)


@dead.command("show")
def show_letter(
    number: picking.Number, config: ConfigFile = None, data: DataDirectory = None, as_json: AsJson = False
) -> None:
    """Show all that is known of one.

    Every attempt, the last request and its answer, and the message.
    """
    from collector.cli import dead_text

    with letters_of(configured(config, data)) as engine:
        letter = found(engine, number)
    show([letter], dead_text.whole(letter), as_json, none=NONE)


@dead.command("retry")
def retry(
    numbers: picking.Numbers = None,
    destination: picking.OfDestination = None,
    source: picking.OfSource = None,
    code: picking.WithCode = None,
    cause: picking.OfCause = None,
    event: picking.OfEvent = None,
    user: picking.OfUser = None,
    since: picking.Since = None,
    until: picking.Until = None,
    message_id: picking.WithMessageId = None,
    everything: picking.Everything = False,
    yes: picking.Yes = False,
    config: ConfigFile = None,
    data: DataDirectory = None,
    as_json: AsJson = False,
) -> None:
    """Send dead letters to their destination again, each once.

    turnout dead retry --destination hook --cause 3fa1b2c4
    """
    filters = (destination, source, code, cause, event, user, message_id, since, until)
    picking.must_pick(numbers, filters, everything=everything)
    wanted = wanted_of(*filters, numbers=numbers, state="all" if numbers else "dead")
    settings = reaching(configured(config, data))
    with letters_of(settings) as engine:
        known(engine, numbers)
        sent, kept = resent(settings, engine, wanted, yes=yes or bool(numbers))
    tell({"sent": sent, "kept": kept}, f"sent {counted(sent, 'message')} again", as_json)
    if kept and not as_json:
        words = "sent again before, or its source does not go there any more"
        typer.echo(f"kept {counted(kept, 'letter')}: {words}", err=True)
    if kept and numbers:
        raise typer.Exit(FOUND)


def resent(settings: "Config", engine: "Database", wanted: "Wanted", *, yes: bool) -> tuple[int, int]:
    """How many were sent, and how many of those wanted were not."""
    from collector.cli.progress import steps
    from worker.letters import desk, resend

    partitions = settings.log.partitions
    with log_of(settings) as client:
        resend.finish(client, engine, partitions=partitions)
        numbers = resend.sendable(engine, wanted, settings.routes())
        asked = max(desk.count(engine, wanted), len(numbers))
        if numbers:
            picking.confirm(f"Send {counted(len(numbers), 'message')} again?", yes=yes)
        with steps("sending", len(numbers)) as sent:
            claimed = resend.resend(client, engine, numbers, partitions=partitions, sent=sent)
    return claimed, asked - claimed


@dead.command("edit")
def edit(
    number: picking.Number,
    changes: picking.Changes = None,
    file: File = None,
    config: ConfigFile = None,
    data: DataDirectory = None,
) -> None:
    """Change the message of a dead letter, before it is sent again.

    Without --set and --file it opens in your editor ($VISUAL, $EDITOR). The messageId stays as it is.
    """
    if changes and file is not None:
        raise Trouble("either --set or --file", code=WRONG)
    from collector.cli.dead_edit import rewritten
    from worker.letters import desk

    with letters_of(configured(config, data)) as engine:
        letter = found(engine, number)
        if letter.state != "dead":
            raise Trouble(f"dead letter {number} is {letter.state}: only what is dead can be edited")
        body = rewritten(letter, changes or [], file)
        if body is None:
            typer.echo("nothing was changed")
            return
        if not desk.edit(engine, number, body, now_ms=int(time.time() * 1000)):
            raise Trouble(f"dead letter {number} was sent again or discarded meanwhile: nothing was changed")
    typer.echo(f"changed; send it with `turnout dead retry {number}`")


@dead.command("discard")
def discard(
    reason: picking.Why,
    numbers: picking.Numbers = None,
    destination: picking.OfDestination = None,
    source: picking.OfSource = None,
    code: picking.WithCode = None,
    cause: picking.OfCause = None,
    event: picking.OfEvent = None,
    user: picking.OfUser = None,
    since: picking.Since = None,
    until: picking.Until = None,
    message_id: picking.WithMessageId = None,
    everything: picking.Everything = False,
    yes: picking.Yes = False,
    config: ConfigFile = None,
    data: DataDirectory = None,
    as_json: AsJson = False,
) -> None:
    """Let go of dead letters. They can be looked at for 30 more days."""
    filters = (destination, source, code, cause, event, user, message_id, since, until)
    picking.must_pick(numbers, filters, everything=everything)
    wanted = wanted_of(*filters, numbers=numbers, state="dead")
    from worker.letters import desk

    with letters_of(configured(config, data)) as engine:
        known(engine, numbers)
        if there := desk.count(engine, wanted):
            picking.confirm(f"Discard {counted(there, 'letter')}?", yes=yes or bool(numbers))
        gone = desk.discard(engine, wanted, reason=reason, now_ms=int(time.time() * 1000))
    tell({"discarded": gone}, f"discarded {counted(gone, 'letter')}", as_json)


@dead.command("export")
def export(
    destination: picking.OfDestination = None,
    source: picking.OfSource = None,
    code: picking.WithCode = None,
    cause: picking.OfCause = None,
    event: picking.OfEvent = None,
    user: picking.OfUser = None,
    since: picking.Since = None,
    until: picking.Until = None,
    message_id: picking.WithMessageId = None,
    state: State = "dead",
    form: Format = "jsonl",
    output: Output = None,
    config: ConfigFile = None,
    data: DataDirectory = None,
) -> None:
    """Write dead letters to a file.

    As JSON lines, or as a table for a spreadsheet.
    """
    wanted = wanted_of(destination, source, code, cause, event, user, message_id, since, until, state=state)
    from collector.cli import exporting
    from collector.cli.progress import steps
    from worker.letters import desk

    write = exporting.as_table if form == "csv" else exporting.as_lines
    with (
        letters_of(configured(config, data)) as engine,
        exporting.opened(output) as target,
        steps("writing", desk.count(engine, wanted)) as written,
    ):
        number = write(noted(desk.every(engine, wanted), written), target)
    if output is not None:
        typer.echo(f"wrote {counted(number, 'letter')} to {output}", err=True)


def noted(letters: "Iterator[Letter]", written: Any) -> "Iterator[Letter]":
    for letter in letters:
        yield letter
        written(1)


def wanted_of(
    destination: str | None,
    source: str | None,
    code: str | None,
    cause: str | None,
    event: str | None,
    user: str | None,
    message_id: str | None,
    since: str | None,
    until: str | None,
    *,
    numbers: list[int] | None = None,
    state: str,
) -> "Wanted":
    from worker.letters.desk import Wanted

    now = time.time()
    return Wanted(
        ids=tuple(numbers or ()),
        destination=destination,
        source=source,
        code=code,
        cause=cause,
        event=event,
        user=user,
        message_id=message_id,
        since_ms=picking.moment(since, now),
        until_ms=picking.moment(until, now),
        state=None if state == "all" else state,  # type: ignore[arg-type]  # typer has checked it
    )


@contextmanager
def letters_of(settings: "Config") -> "Iterator[Database]":
    """The database, with what still lay in the log. Raises Trouble."""
    from worker.letters.moving import move_letters

    with database_of(settings) as engine:
        fetch(settings, engine, move_letters)
        yield engine


def known(engine: "Database", numbers: list[int] | None) -> None:
    """Raises Trouble for a number that nothing has."""
    for number in numbers or []:
        found(engine, number)


def found(engine: "Database", number: int) -> "Letter":
    from worker.letters import desk

    letter = desk.one(engine, number)
    if letter is None:
        raise Trouble(f"there is no dead letter {number}")
    return letter


def show(each: Any, lines: Any, as_json: bool, *, none: str) -> None:
    import msgspec

    if as_json:
        for one in each:
            typer.echo(msgspec.json.encode(one).decode())
    else:
        typer.echo("\n".join(lines) if each else none)


def tell(figures: dict[str, int], words: str, as_json: bool) -> None:
    import msgspec

    typer.echo(msgspec.json.encode(figures).decode() if as_json else words)
