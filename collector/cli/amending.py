"""Change a message by hand: single values, a whole file, or an editor."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from collector.cli.send import fields
from collector.cli.trouble import WRONG, Trouble


def amended(message: Any, changes: Sequence[str], what: str = "this message") -> Any:
    """The message with `path=text` and `path:=JSON` in place. Objects that are missing on the way are made."""
    for path, value in fields(list(changes)).items():
        place = message
        *way, last = path.split(".")
        for name in way:
            place = _inside(place, name, path, what)
        match place:
            case dict():
                place[last] = value
            case list() if _index(place, last) is not None:
                place[int(last)] = value
            case _:
                raise Trouble(f"{path!r} does not lead into {what}", code=WRONG)
    return message


def _inside(place: Any, name: str, path: str, what: str) -> Any:
    match place:
        case dict():
            return place.setdefault(name, {})
        case list() if _index(place, name) is not None:
            return place[int(name)]
        case _:
            raise Trouble(f"{path!r} does not lead into {what}", code=WRONG)


def _index(place: list[Any], name: str) -> int | None:
    return int(name) if name.isdigit() and int(name) < len(place) else None


def parsed(text: str | bytes, what: str) -> Any:
    import msgspec

    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Trouble(f"{what} is not JSON: {error}", code=WRONG) from error


def from_file(file: str) -> Any:
    """What the file holds; `-` is standard input."""
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(f"{file} cannot be read: {error}", code=WRONG) from error
    return parsed(text, file)


def from_editor(text: str) -> str | None:
    """The text as it is after somebody has been at it in $VISUAL or $EDITOR; None when it was not saved."""
    import click

    try:
        return click.edit(text, extension=".json")
    except click.ClickException as error:
        raise Trouble(error.format_message()) from error


def again(words: str) -> bool:
    """Whether to go back into the editor; what was written is not thrown away for a comma."""
    typer.echo(f"turnout: {words}", err=True)
    return sys.stdin.isatty() and typer.confirm("Edit it again?", default=True, err=True)
