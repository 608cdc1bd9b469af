"""`turnout export`: everything that is known about a user, as one JSON document."""

from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from collector.cli.asking import stores_for
from collector.cli.options import ConfigFile, DataDirectory, configured, reaching
from collector.cli.table import counted
from collector.cli.trouble import WRONG, Trouble

if TYPE_CHECKING:
    from worker.forgetting.knowledge import Chapter

User = Annotated[str, typer.Option("--user", "-u", help="The userId of the user.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="The file to write; else standard output.")]


def export(user: User, output: Output = None, config: ConfigFile = None, data: DataDirectory = None) -> None:
    """Write down everything that is known about a user.

    Profile, groups, messages, dead letters, quarantine and what was said to
    destinations, as one JSON document. The file is for your user alone.

    turnout export --user 97980cfea0067 --output user.json
    """
    if not user:
        raise Trouble("--user must be the userId of somebody", code=WRONG)
    settings = reaching(configured(config, data))
    from collector.cli import exporting
    from collector.cli.progress import bar
    from worker.forgetting.conductor import person_of
    from worker.forgetting.knowledge import chapters

    with stores_for(settings) as stores, exporting.opened(output) as target, bar("found", None) as found:
        person = person_of(stores, user)
        number = 0
        head = {"userId": user, "ids": sorted(person.ids), "foundBy": sorted(person.others)}
        for number in _written(target, head, chapters(stores, person, user)):
            found(number)
    if output is not None:
        typer.echo(f"wrote {counted(number, 'piece')} to {output}", err=True)


def _written(target: IO[str], head: dict[str, Any], chapters: "Iterable[Chapter]") -> "Iterable[int]":
    """A piece after the other, so that no user is too large; how many so far."""
    import msgspec

    number = 0
    target.write(msgspec.json.encode(head).decode()[:-1])
    for name, pieces in chapters:
        target.write(f',\n"{name}": [')
        separator = "\n"
        for piece in pieces:
            target.write(separator + msgspec.json.encode(piece).decode())
            separator, number = ",\n", number + 1
            yield number
        target.write("]")
    target.write("}\n")
