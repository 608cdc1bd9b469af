"""`turnout tail`: messages as they come in."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from collector.cli.asking import log_of
from collector.cli.options import AsJson, ConfigFile, DataDirectory, configured, reaching
from collector.cli.table import short
from collector.cli.trouble import WRONG, Trouble

COLOURS = {
    "track": typer.colors.GREEN,
    "identify": typer.colors.CYAN,
    "group": typer.colors.MAGENTA,
    "page": typer.colors.BLUE,
    "screen": typer.colors.BLUE,
    "alias": typer.colors.YELLOW,
}


def tail(
    config: ConfigFile = None,
    data: DataDirectory = None,
    source: Annotated[str | None, typer.Option("--source", "-s", help="Only messages of this source.")] = None,
    kind: Annotated[str | None, typer.Option("--type", "-t", help="Only messages of this type.")] = None,
    event: Annotated[str | None, typer.Option("--event", "-e", help="Only track messages of this event.")] = None,
    last: Annotated[int, typer.Option("-n", min=0, help="Begin with the last N messages of the log.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Watch messages as they come in. Ctrl-C ends it."""
    settings = reaching(configured(config, data))
    if source is not None and source not in settings.sources:
        raise Trouble(f"there is no source {source!r}; there are {', '.join(settings.sources)}", code=WRONG)
    import msgspec

    from worker import watch

    try:
        with log_of(settings) as client:
            typer.echo("turnout: waiting for messages; Ctrl-C ends it", err=True)
            for name, body in watch.follow(client, settings, last=last):
                if body and source in (None, name) and wanted(message := msgspec.json.decode(body), kind, event):
                    typer.echo(body.decode() if as_json else line(name, message))
    except KeyboardInterrupt:
        raise typer.Exit from None


def wanted(message: dict[str, Any], kind: str | None, event: str | None) -> bool:
    return kind in (None, message.get("type")) and event in (None, message.get("event"))


def line(source: str, message: dict[str, Any]) -> str:
    """`14:03:09.120  web  track     Signed Up  u1`"""
    kind = str(message.get("type", "?"))
    time = str(message.get("receivedAt", ""))[11:23]
    name = " ".join(_names(message))
    who = printable(message.get("userId") or message.get("anonymousId") or "")
    coloured = typer.style(f"{kind:8}", fg=COLOURS.get(kind))
    return f"{time}  {short(source, 12):12}  {coloured}  {short(name, 24):24}  {short(who, 16)}".rstrip()


def _names(message: dict[str, Any]) -> Iterator[str]:
    match message.get("type"):
        case "track":
            yield printable(message.get("event"))
        case "page" | "screen":
            yield from (printable(message[key]) for key in ("category", "name") if message.get(key))
        case "group":
            yield printable(message.get("groupId"))
        case "alias":
            yield f"{printable(message.get('previousId'))} is now"


def printable(value: object) -> str:
    """Text of a stranger, without what would steer the terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in str(value))
