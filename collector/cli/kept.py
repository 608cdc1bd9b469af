"""`turnout dead` and `turnout quarantine`: look at what is kept for a person."""

import base64
from typing import TYPE_CHECKING, Annotated, Any

import typer

from collector.cli.asking import log_of
from collector.cli.options import AsJson, ConfigFile, DataDirectory, configured, reaching
from collector.cli.table import table

if TYPE_CHECKING:
    from collections.abc import Callable

Most = Annotated[int, typer.Option("--most", "-n", min=1, max=100_000, help="How many, the newest first.")]

dead = typer.Typer(name="dead", help="Messages that a destination will not get, with the reason.")
quarantine = typer.Typer(name="quarantine", help="What clients sent and was refused, with what is wrong.")


@dead.callback()
def _dead() -> None:
    """Keep `list` a command of its own."""


@quarantine.callback()
def _quarantine() -> None:
    """Keep `list` a command of its own."""


@dead.command("list")
def list_letters(
    config: ConfigFile = None, data: DataDirectory = None, most: Most = 20, as_json: AsJson = False
) -> None:
    """Show the newest dead letters."""
    from worker import kept

    found = _asked(kept.letters, config, data, most)
    rows = [(each["source"], each["destination"], each["messageId"], each["reason"]) for each in found]
    _show(found, table(("source", "destination", "message", "reason"), rows), as_json)


@quarantine.command("list")
def list_refusals(
    config: ConfigFile = None, data: DataDirectory = None, most: Most = 20, as_json: AsJson = False
) -> None:
    """Show what was refused last."""
    from worker import kept

    found = _asked(kept.refusals, config, data, most)
    for each in found:
        each["raw"] = base64.b64decode(each["raw"]).decode(errors="replace")
    rows = [(each["received_at"], each["source"], each["path"], _wrong(each["violations"])) for each in found]
    _show(found, table(("received", "source", "path", "what is wrong"), rows), as_json)


def _wrong(violations: list[dict[str, str]]) -> str:
    return "; ".join(
        each["found"] if each["rule"] == "body" else f"{each['path'] or 'the message'}: expected {each['expected']}"
        for each in violations
    )


def _asked(read: "Callable[..., list[dict[str, Any]]]", config: Any, data: Any, most: int) -> list[dict[str, Any]]:
    settings = reaching(configured(config, data))
    with log_of(settings) as client:
        return read(client, settings, most=most)


def _show(found: list[dict[str, Any]], lines: list[str], as_json: bool) -> None:
    import msgspec

    if as_json:
        for each in found:
            typer.echo(msgspec.json.encode(each).decode())
    else:
        typer.echo("\n".join(lines) if found else "nothing is kept here")
