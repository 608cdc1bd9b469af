"""`turnout where`: the story of one message."""

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.asking import stores_for
from collector.cli.options import AsJson, ConfigFile, DataDirectory, configured, reaching
from collector.cli.table import WIDTH, counted
from collector.cli.trouble import WRONG, Trouble

if TYPE_CHECKING:
    from collections.abc import Iterable

    from collector.spool.status import Held
    from worker.stories.story import Copy, Journey, Refused, Story
    from worker.stories.told import Step


def where(
    message_id: Annotated[str, typer.Argument(metavar="MESSAGE-ID", help="The messageId that was sent.")],
    config: ConfigFile = None,
    data: DataDirectory = None,
    source: Annotated[str | None, typer.Option("--source", "-s", help="Only where it came in there.")] = None,
    body: Annotated[bool, typer.Option("--body", help="Show the whole message as well.")] = False,
    as_json: AsJson = False,
) -> None:
    """Tell what became of a message.

    When it came in, where it lies, and for each destination every attempt
    with its time, its reason and the answer. Ends with 1 when nobody knows the message.
    """
    settings = reaching(configured(config, data))
    if source is not None and source not in settings.sources:
        raise Trouble(f"there is no source {source!r}; there are {', '.join(settings.sources)}", code=WRONG)
    import msgspec

    from collector.spool.status import holding
    from worker.stories.where import story_of

    spooled = [held for held in holding(settings.data, message_id) if source in (None, held.source)]
    if not as_json:
        _print(_in_spool(message_id, spooled))
    with stores_for(settings) as stores:
        story = story_of(stores, message_id, source=source)
    if as_json:
        told = msgspec.json.decode(msgspec.json.encode(story)) | {"spooled": msgspec.to_builtins(spooled)}
        typer.echo(msgspec.json.encode(told).decode())
    else:
        _print(lines(story, body=body))
    if not story.known and not spooled:
        raise Trouble(
            f"{message_id} is not known; looked in",
            *(f"  {place}" for place in (*story.looked_in, "the spool of this machine")),
        )


def _print(told: Iterator[str]) -> None:
    for line in told:
        typer.echo(line)


def _in_spool(message_id: str, spooled: "Iterable[Held]") -> Iterator[str]:
    for held in spooled:
        yield f"{message_id}  lies in the spool of this machine, and will be brought to the log"
        yield f"  received   {_clock(int(held.since * 1000))} from {held.source}"


def lines(story: "Story", *, body: bool) -> Iterator[str]:
    for number, copy in enumerate(story.copies):
        if number:
            yield ""
        yield from _copy(story.message_id, copy)
        if body:
            yield from ("", bytes(copy.message).decode())
    for refused in story.refused:
        if story.copies:
            yield ""
        yield from _refused(story.message_id, refused)


def _copy(message_id: str, copy: "Copy") -> Iterator[str]:
    what = f"{copy.type} {copy.event!r}" if copy.event else copy.type
    yield f"{message_id}  {what}{f' of {copy.user}' if copy.user else ''}"
    yield f"  received   {copy.received_at} from {copy.source}"
    yield f"  happened   {copy.timestamp}{f', sent {copy.sent_at}' if copy.sent_at else ''}"
    place = f"{copy.line}, p{copy.partition:02d}, {copy.position} ({', '.join(copy.found_in)})"
    yield from _wrapped(f"  stands in  {place}", 13)
    for note in copy.notes:
        was = f" (was {note['was']!r})" if "was" in note else ""
        yield from _wrapped(f"  changed    {note.get('path') or 'the message'}: {note.get('rule', '')}{was}", 13)
    for journey in copy.journeys:
        yield ""
        yield from _journey(journey)


def _journey(journey: "Journey") -> Iterator[str]:
    with_replay = f", replay {journey.replay}" if journey.replay else ""
    yield f"  {journey.destination}{with_replay}: {_STATES[journey.state]}"
    for step in journey.steps:
        yield from _step(step)
    if journey.waits_for:
        yield from _wrapped(f"    waits for {journey.waits_for}", 6)
    if journey.letter is not None:
        letter = journey.letter
        look = f"; `turnout dead show {letter.id}`" if letter.state == "dead" else ""
        yield f"    dead letter {letter.id}: {letter.state} since {_clock(letter.state_at_ms)}{look}"


_STATES = {
    "delivered": "delivered",
    "filtered": "filtered, it was not meant for it",
    "dead": "dead, it will not get it",
    "waiting": "waiting",
    "resent": "died, and was sent again",
    "forgotten": "long ago: its story is no longer kept",
    "earlier": "not for it: the message came before the destination did",
    "unknown": "NOBODY KNOWS: `turnout audit` looks into it",
}

_FATES = {
    "delivered": "delivered",
    "filtered": "filtered",
    "dead": "given up",
    "aside": "failed, tried again by itself",
    "behind": "put behind an earlier message of its user",
    "failed": "failed, the destination is out",
}


def _step(step: "Step") -> Iterator[str]:
    at = _clock(step.at_ms) + (f" to {_clock(step.until_ms)}" if step.until_ms > step.at_ms else "")
    attempt = f", attempt {step.attempt}" if step.attempt > 1 or step.fate in ("aside", "failed", "dead") else ""
    took = f" ({step.took_ms} ms)" if step.took_ms else ""
    reason = f": {step.reason}" if step.reason else ""
    yield from _wrapped(f"    {at}  {_FATES.get(step.fate, step.fate)}{attempt}{took}{reason}", 6)
    if step.due_ms:
        yield f"      again from {_clock(step.due_ms)}"
    if step.exchange is not None:
        yield from _quoted("> ", step.exchange.request)
        yield from _quoted("< ", step.exchange.answer or "no answer")


def _quoted(mark: str, text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield f"      {mark}{line}"[:WIDTH].rstrip()


def _refused(message_id: str, refused: "Refused") -> Iterator[str]:
    times = f"{counted(refused.times, 'time')}, last {_clock(refused.last_at_ms)}"
    yield f"{message_id}  refused at the door ({times})"
    yield f"  from       {refused.source}, first {_clock(refused.first_at_ms)}"
    yield from _wrapped(f"  wrong      {refused.wrong}", 13)
    yield f"  quarantine {refused.id}: {refused.state}"


def _wrapped(text: str, indent: int) -> list[str]:
    before = len(text) - len(text.lstrip())
    return textwrap.wrap(
        text.strip(), WIDTH, initial_indent=" " * before, subsequent_indent=" " * indent, break_long_words=False
    )


def _clock(ms: int) -> str:
    from worker.stories.words import clock

    return clock(ms)
