"""`turnout forget`: a user goes from every store, and is not taken in any more."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.asking import database_of, stores_for
from collector.cli.options import AsJson, ConfigFile, DataDirectory, configured, reaching
from collector.cli.picking import Most, Yes, confirm
from collector.cli.table import counted, table, wrapped
from collector.cli.trouble import FOUND, WRONG, Trouble
from worker.forgetting.regulation import Kind

if TYPE_CHECKING:
    from collector.config import Config
    from worker.forgetting.conductor import Teller
    from worker.forgetting.report import Report, Wish

User = Annotated[str | None, typer.Option("--user", "-u", help="The userId of the user to forget.")]
Type = Annotated[Kind, typer.Option("--type", help="What is to be done, in Segment's words.", show_default=True)]
Listed = Annotated[bool, typer.Option("--list", help="Show what was asked for so far, and do nothing.")]
Shown = Annotated[str | None, typer.Option("--show", metavar="ID", help="Show the report of one of these.")]


def forget(
    user: User = None,
    kind: Type = "SUPPRESS_WITH_DELETE",
    listed: Listed = False,
    shown: Shown = None,
    most: Most = 20,
    yes: Yes = False,
    config: ConfigFile = None,
    data: DataDirectory = None,
    as_json: AsJson = False,
) -> None:
    """Forget a user.

    Removes the user from profiles, dead letters, quarantine, stories, log and
    archive, asks every destination that can delete, and drops what comes of
    the user from now on. Ends with 1 when something could not be done.

    turnout forget --user 97980cfea0067
    """
    if [user is not None, listed, shown is not None].count(True) != 1 or user == "":
        raise Trouble("say one of --user ID, --list, --show ID", code=WRONG)
    if user is None:
        _look(configured(config, data), shown, most, as_json)
        return
    settings = reaching(configured(config, data))
    if kind != "UNSUPPRESS":
        confirm(f"Forget {user!r} ({kind})? What is removed cannot be brought back.", yes=yes)
    report = _forgotten(settings, kind, user)
    _tell([report], _lines(report), as_json)
    if report.report.failed:
        raise typer.Exit(FOUND)


def _look(settings: "Config", shown: str | None, most: int, as_json: bool) -> None:
    from worker.forgetting import report

    with database_of(settings) as engine:
        if shown is None:
            wishes = report.newest(engine, most=most)
            _tell(wishes, _rows(wishes) if wishes else ["nobody was forgotten yet"], as_json)
            return
        wish = report.get(engine, shown)
    if wish is None:
        raise Trouble(f"there is no report {shown!r}: `turnout forget --list` shows them")
    _tell([wish], _lines(wish), as_json)


def _forgotten(settings: "Config", kind: Kind, user: str) -> "Wish":
    from collector.spool.erasing import erase
    from worker.forgetting import report, wishes
    from worker.forgetting.conductor import Beside

    spool = Beside("spool", lambda person: erase(settings.data, person))
    with stores_for(settings) as stores, _bars() as teller:
        number = wishes.ask(stores.engine, kind, user, state="RUNNING")
        wish = report.get(stores.engine, number)
        assert wish is not None, "it was just written"
        try:
            wishes.fulfil(stores, wish, beside=[spool], teller=teller)
        except OSError as error:
            words = f"{error.filename or 'a file'} cannot be written: {error.strerror or type(error).__name__}"
            raise Trouble(f"{words}. Nothing is lost: ask again, and the rest is done") from error
        return report.get(stores.engine, number) or wish


def _rows(wishes: "list[Wish]") -> list[str]:
    heads = ("id", "asked for", "at", "state", "removed")
    return table(
        heads,
        [(one.id, one.kind, _at(one.created_ms)[:16], one.state, sum(one.report.removed.values())) for one in wishes],
    )


def _lines(wish: "Wish") -> Iterator[str]:
    yield f"{wish.id}  {wish.kind}: {wish.state.lower().replace('_', ' ')}"
    yield f"  asked     {_at(wish.created_ms)}"
    if wish.finished_ms:
        yield f"  finished  {_at(wish.finished_ms)}"
    yield f"  subject   {wish.subject} (a digest of the id)"
    yield from _done(wish.report)


def _done(report: "Report") -> Iterator[str]:
    if report.removed:
        yield ""
        yield from table(("store", "removed"), list(report.removed.items()))
    if report.answers:
        yield ""
        rows = [(one.destination, one.answer, one.reason) for one in report.answers]
        yield from table(("destination", "deletion", "reason"), rows)
    for sentence in report.left:
        yield ""
        yield from wrapped(f"LEFT: {sentence}")
    failed = sum(one.answer == "failed" for one in report.answers)
    if failed:
        yield ""
        yield f"{counted(failed, 'destination')} failed: `turnout forget` asks again"


def _tell(each: "list[Wish]", lines: "Iterator[str] | list[str]", as_json: bool) -> None:
    import msgspec

    if as_json:
        for one in each:
            typer.echo(msgspec.json.encode(msgspec.structs.replace(one, asked="")).decode())
    else:
        typer.echo("\n".join(lines))


def _at(ms: int) -> str:
    from schemas.dates import stamp

    return stamp(ms)[:19].replace("T", " ")


@contextmanager
def _bars() -> "Iterator[Teller]":
    """A bar for each step on a terminal, silence elsewhere."""
    from worker.forgetting.conductor import Quiet

    if not sys.stderr.isatty():
        yield Quiet()
        return
    from collector.cli.forget_bars import bars

    with bars() as teller:
        yield teller
