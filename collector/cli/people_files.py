"""Take users and groups from files, and write them to files."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer

from collector.cli import people, picking
from collector.cli.table import counted
from collector.cli.trouble import FOUND, WRONG, Trouble

if TYPE_CHECKING:
    from collector.config import Config
    from destinations.profiles.files import Line, Row
    from destinations.profiles.importing import Taken, Wrong
    from destinations.profiles.rows import Terms
    from destinations.sql.engine import Session

    Rows = Callable[[Session], Iterator[Row]]

Form = Literal["jsonl", "csv"]

Input = Annotated[str, typer.Argument(help="The file; - for standard input.", metavar="FILE")]
Output = Annotated[str, typer.Argument(help="The file; - for standard output.", metavar="FILE")]
Format = Annotated[Form | None, typer.Option("--format", help="Else what the name of the file says, else JSON lines.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what is wrong.")]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of", metavar="TIME", help="All of it was true then, whatever the rows say: now, 2h, 2024-02-29."
    ),
]
Source = Annotated[str, typer.Option("--source", "-s", help="Who says so: shown with every trait.")]
Traits = Annotated[str | None, typer.Option("--traits", help="Only these, in this order: name,email,address.city.")]

MOST_TOLD = 20
MOST_KEPT = 1_000
NAMES: dict[str, Form] = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"}


class Wanted(NamedTuple):
    """What is to be taken in."""

    file: str
    form: Form | None
    as_of: str | None
    source: str


class Asked(NamedTuple):
    """What is to be written."""

    file: str
    form: Form | None
    traits: str | None
    kinds: Sequence[Any]
    own: Sequence[str]
    """The columns beside the traits."""


class Done(NamedTuple):
    taken: int
    wrong: int
    told: "Sequence[Wrong]"


def take_in(config: "Config", wanted: Wanted, shape: "type[Row]", as_json: bool) -> None:
    """Ends with 1 when a row was wrong; the others are taken. Raises Trouble."""
    tell(taken(config, wanted, shape), as_json, taken="took {rows}{wrong}")


def try_out(config: "Config", wanted: Wanted, shape: "type[Row]", as_json: bool) -> None:
    """The same, and nothing is taken. Raises Trouble."""
    tell(tried(config, wanted, shape), as_json, taken="good: {rows}{wrong}; nothing was taken")


def taken(config: "Config", wanted: Wanted, shape: "type[Row]") -> Done:
    """Take all good rows in. Raises Trouble."""
    from destinations.profiles import importing

    with people.profiles_of(config) as database:
        return _through(config, wanted, shape, lambda lines, terms: importing.take_in(database, lines, terms))


def tried(config: "Config", wanted: Wanted, shape: "type[Row]") -> Done:
    """Only look at the rows. Raises Trouble."""
    from destinations.profiles import importing

    return _through(config, wanted, shape, importing.try_out)


def _through(
    config: "Config",
    wanted: Wanted,
    shape: "type[Row]",
    take: "Callable[[Iterable[Line], Terms], Iterator[Taken]]",
) -> Done:
    from collector.cli.progress import rows
    from destinations.profiles import files
    from destinations.profiles.seldom import seldom_collecting

    good, bad = 0, 0
    told: list[Wrong] = []
    with _read(wanted.file) as (file, size), rows("taking in", size) as advance, seldom_collecting():
        try:
            lines = files.rows(file, _form(wanted.form, wanted.file), shape)
            for some in take(lines, _terms(config, wanted)):
                good, bad = good + some.rows, bad + len(some.wrong)
                told += some.wrong[: MOST_KEPT - len(told)]
                advance(file.tell() if size else good + bad, good + bad)
        except files.BadFile as error:
            raise Trouble(f"{wanted.file}: {error}", code=WRONG) from error
    return Done(good, bad, told)


def _terms(config: "Config", wanted: Wanted) -> "Terms":
    """What a row says without a time was true when the file was written: so a repeat changes nothing."""
    from destinations.profiles.rows import Terms
    from schemas.dates import stamp

    now = time.time()
    asked = now * 1000 if wanted.as_of == "now" else picking.moment(wanted.as_of, now)
    written = now if wanted.file == "-" else min(now, Path(wanted.file).stat().st_mtime)
    said = f"{stamp(int(written * 1000 if asked is None else asked))} "
    return Terms(wanted.source, said, always=asked is not None, promoted=people.promoted_by(config))


def tell(done: Done, as_json: bool, *, taken: str) -> None:
    """Ends with 1 when something was wrong."""
    import msgspec

    if as_json:
        shown = {"taken": done.taken, "wrong": done.wrong, "rows": done.told}
        typer.echo(msgspec.json.encode(shown).decode())
    else:
        for one in done.told[:MOST_TOLD]:
            typer.echo(f"line {one.line}: {one.what}", err=True)
        if done.wrong > MOST_TOLD:
            typer.echo(f"{done.wrong - MOST_TOLD} more are wrong", err=True)
        wrong = f", {done.wrong} {'is' if done.wrong == 1 else 'are'} wrong" if done.wrong else ""
        typer.echo(taken.format(rows=counted(done.taken, "row"), wrong=wrong))
    if done.wrong:
        raise typer.Exit(FOUND)


def write(config: "Config", asked: Asked, whole: "Rows", plain: "Rows") -> None:
    """JSON lines of the whole rows, or a table of the plain ones. Raises Trouble."""
    from collector.cli.exporting import opened
    from collector.cli.progress import rows
    from destinations.profiles.exporting import snapshot, total
    from destinations.profiles.seldom import seldom_collecting

    target = None if asked.file == "-" else Path(asked.file)
    as_table = _form(asked.form, asked.file) == "csv"
    if asked.traits is not None and not as_table:
        raise Trouble("--traits goes with --format csv", code=WRONG)
    number = 0
    with (
        people.profiles_of(config) as database,
        snapshot(database) as connection,
        opened(target) as output,
        rows("writing", total(connection, asked.kinds)) as advance,
        seldom_collecting(),
    ):
        written = _table(connection, asked, plain, output) if as_table else _lines(connection, whole, output)
        for _ in written:
            number += 1
            if number % 1_000 == 0:
                advance(number, number)
    if target is not None:
        typer.echo(f"wrote {counted(number, 'row')} to {target}", err=True)


def _lines(connection: "Session", rows: "Rows", output: IO[str]) -> "Iterator[None]":
    from destinations.profiles.tabling import as_lines

    for line in as_lines(rows(connection)):
        output.write(line)
        yield


def _table(connection: "Session", asked: Asked, rows: "Rows", output: IO[str]) -> "Iterator[None]":
    from destinations.profiles import cells, tabling
    from destinations.profiles.exporting import all_traits

    try:
        if asked.traits is None:
            paths = tabling.columns_of(all_traits(connection, asked.kinds))
        else:
            paths = [cells.path_of(name) for name in asked.traits.split(",")]
    except tabling.TooWide as error:
        raise Trouble(error) from error
    return tabling.as_table(rows(connection), asked.own, paths, output)


@contextmanager
def _read(file: str) -> "Iterator[tuple[IO[bytes], int | None]]":
    """The file and its size, where that is known. Raises Trouble."""
    if file == "-":
        yield sys.stdin.buffer, None
        return
    try:
        size = Path(file).stat().st_size
        opened = Path(file).open("rb")  # noqa: SIM115  # closed below: only what opening raises is told so
    except OSError as error:
        raise Trouble(f"{file} cannot be read: {error.strerror}", code=WRONG) from error
    with opened:
        yield opened, size


def _form(form: Form | None, file: str) -> Form:
    """Raises Trouble."""
    if form is not None:
        return form
    if file == "-":
        return "jsonl"
    found = NAMES.get(Path(file).suffix.lower())
    if found is None:
        raise Trouble(f"{file}: is it JSON lines or a table? Say --format jsonl or --format csv", code=WRONG)
    return found
