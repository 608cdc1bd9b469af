"""The options that pick some of what is kept for a person, and the question before much is done at once."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.trouble import WRONG, Trouble

if TYPE_CHECKING:
    from collections.abc import Sequence

Numbers = Annotated[list[int] | None, typer.Argument(help="Their numbers, as `list` shows them.", metavar="ID...")]
Number = Annotated[int, typer.Argument(help="Its number, as `list` shows it.", metavar="ID")]
Most = Annotated[int, typer.Option("--most", "-n", min=1, max=100_000, help="How many, the newest first.")]
OfDestination = Annotated[str | None, typer.Option("--destination", help="Only those of this destination.")]
OfSource = Annotated[str | None, typer.Option("--source", "-s", help="Only those of this source.")]
WithCode = Annotated[str | None, typer.Option("--code", help="Only those with this code: 400, expired.")]
OfCause = Annotated[str | None, typer.Option("--cause", help="Only those of this cause, as --group shows it.")]
OfRule = Annotated[str | None, typer.Option("--rule", help="Only those that break this rule, as --group shows it.")]
OfEvent = Annotated[str | None, typer.Option("--event", "-e", help="Only track messages of this event.")]
OfUser = Annotated[str | None, typer.Option("--user", "-u", help="Only those of this userId or anonymousId.")]
WithMessageId = Annotated[str | None, typer.Option("--message-id", help="Only this message.")]
Since = Annotated[str | None, typer.Option(help="Only after this: 2h (ago), 2024-02-29, 2024-02-29T12:00Z.")]
Until = Annotated[str | None, typer.Option(help="Only before this.")]
Everything = Annotated[bool, typer.Option("--all", help="All there are.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Grouped = Annotated[bool, typer.Option("--group", "-g", help="Count what has the same cause.")]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="path=text, or path:=JSON. Can be repeated."),
]
Why = Annotated[str, typer.Option("--reason", help="Why; it is kept with them.")]


def moment(text: str | None, now: float) -> int | None:
    """Milliseconds since 1970 of "2h" (ago), or of a date with or without a time; UTC where nothing else is said."""
    if text is None:
        return None
    from destinations.errors import Unfit
    from destinations.settings import Duration

    try:
        return int((now - Duration.read(text)) * 1000)
    except Unfit:
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        words = f"{text!r} is neither a length of time such as 30m, 2h, 7d nor a date such as 2024-02-29T12:00Z"
        raise Trouble(words, code=WRONG) from error
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)


def must_pick(numbers: "Sequence[int] | None", filters: "Sequence[object]", *, everything: bool) -> None:
    """Nobody means all of them by saying nothing."""
    picked = any(each is not None for each in filters)
    if numbers and (picked or everything):
        raise Trouble("name them by number, or pick them by options: not both", code=WRONG)
    if not (numbers or picked or everything):
        raise Trouble("which ones? Name their numbers, pick them with options, or say --all", code=WRONG)


def confirm(question: str, *, yes: bool) -> None:
    """Raises Trouble where nobody can be asked; ends the command when the answer is no."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Trouble(f"{question} Nobody is here to answer: say --yes", code=WRONG)
    if not typer.confirm(question, err=True):
        raise typer.Exit
