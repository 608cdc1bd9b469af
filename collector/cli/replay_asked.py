"""What `turnout replay` is asked for, checked before anything is done."""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import msgspec
import typer

from collector.cli.tail import printable
from collector.cli.trouble import WRONG, Trouble
from collector.config import Config
from destinations import registry
from destinations.archive.index import DamagedArchiveError
from destinations.errors import SettingsError
from destinations.sql.errors import DatabaseAway
from worker.errors import WorkerError
from worker.lines import Line
from worker.replay.errors import BadExpression, BadTime, UnknownReplay, WrongState
from worker.replay.expression import Expression
from worker.replay.rendering import rendered
from worker.replay.selection import Selection
from worker.replay.when import point


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says."""

    to: str
    sources: tuple[str, ...]
    since: str | None
    until: str | None
    types: tuple[str, ...]
    events: tuple[str, ...]
    users: tuple[str, ...]
    message_ids: tuple[str, ...]
    where: str
    rate: float
    dry_run: bool
    yes: bool
    as_json: bool


def selection_of(config: Config, asked: Asked) -> Selection:
    if asked.to not in config.wanted():
        there = ", ".join(config.wanted()) or "none"
        raise Trouble(f"no source goes to a destination {asked.to!r}; there are {there}", code=WRONG)
    for source in asked.sources:
        if source not in config.sources:
            raise Trouble(f"there is no source {source!r}; there are {', '.join(config.sources)}", code=WRONG)
    if asked.where:
        Expression(asked.where)
    now = int(time.time() * 1000)
    routed = tuple(name for name, destinations in sorted(config.routes().items()) if asked.to in destinations)
    return Selection(
        sources=asked.sources or routed,
        since=point(asked.since, now) if asked.since else "",
        until=point(asked.until, now) if asked.until else "",
        types=asked.types,
        events=asked.events,
        users=asked.users,
        message_ids=asked.message_ids,
        where=asked.where,
    )


def confirm(asked: Asked) -> None:
    if asked.yes:
        return
    if not sys.stdin.isatty():
        raise Trouble("this is not a terminal: say --yes to send them", code=WRONG)
    if not typer.confirm("Send them?", err=True):
        raise typer.Exit


def requests(config: Config, to: str, samples: Sequence[tuple[Line, bytes]]) -> list[str]:
    """What the destination would be sent for these messages."""
    table = config.destinations[to]
    try:
        destination = registry.make(to, table.type, table.settings, place=table.place)
    except SettingsError as error:
        raise Trouble(*error.problems, code=WRONG) from error
    texts = [rendered(destination, line, body) for line, body in samples]
    destination.close()
    return texts


def show(texts: Sequence[str]) -> None:
    """In them are words of strangers, who shall not steer the terminal."""
    for text in texts:
        typer.echo("\n".join(map(printable, text.split("\n"))) + "\n")


def show_json(value: Mapping[str, object]) -> None:
    typer.echo(msgspec.json.encode(value).decode())


@contextmanager
def telling() -> Iterator[None]:
    """What goes wrong, in a line."""
    try:
        yield
    except (BadExpression, BadTime, UnknownReplay, WrongState) as error:
        raise Trouble(error, code=WRONG) from error
    except (WorkerError, DatabaseAway, DamagedArchiveError) as error:
        raise Trouble(error) from error
