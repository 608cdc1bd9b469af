"""How dead letters look in a terminal."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from collector.cli.table import WIDTH, counted, short, span, table
from collector.cli.tail import printable

if TYPE_CHECKING:
    from worker.letters.desk import Group, Letter


def listed(letters: "Sequence[Letter]", now_ms: int) -> list[str]:
    rows = [
        (each.id, ago(each.died_at_ms, now_ms), each.source, each.destination, printable(each.message_id), _said(each))
        for each in letters
    ]
    return table(("id", "died", "source", "destination", "message", "reason"), rows)


def _said(letter: "Letter") -> str:
    reason = printable(letter.reason)
    return reason if letter.state == "dead" else f"({letter.state}) {reason}"


def grouped(groups: "Sequence[Group]", now_ms: int) -> list[str]:
    """Two lines each: the figures, and the cause in words."""
    rows = [
        (
            each.letters,
            each.destination,
            each.code or "-",
            each.cause_id,
            ago(each.first_died_at_ms, now_ms),
            ago(each.last_died_at_ms, now_ms),
        )
        for each in groups
    ]
    head, *lines = table(("letters", "destination", "code", "cause", "first", "last"), rows)
    causes = [f"         {short(printable(each.cause), WIDTH - 9)}" for each in groups]
    return [head, *(line for pair in zip(lines, causes, strict=True) for line in pair)]


def whole(letter: "Letter") -> Iterator[str]:
    """Everything that is known of one."""
    import msgspec

    yield f"dead letter {letter.id}: {letter.source} to {letter.destination}"
    yield from _facts(letter)
    if letter.trail:
        yield ""
        yield "attempts"
        for step in letter.trail:
            yield f"  {when(int(step.get('atMs', 0)))}  {step.get('attempt', '')}  {printable(step.get('reason', ''))}"
    for name, text in (("request", letter.request), ("answer", letter.answer)):
        if text:
            yield ""
            yield name
            yield from (f"  {printable(line)}".rstrip() for line in text.splitlines())
    yield ""
    yield "message, edited" if letter.edited else "message"
    yield from (f"  {printable(line)}" for line in msgspec.json.format(bytes(letter.message)).decode().splitlines())


def _facts(letter: "Letter") -> Iterator[str]:
    state = f"{letter.state} since {when(letter.state_at_ms)}"
    if letter.discard_reason:
        state += f": {printable(letter.discard_reason)}"
    first = f"the first {when(letter.first_failed_at_ms)}, the last " if letter.first_failed_at_ms else ""
    again = f", sent again {counted(letter.retries, 'time')}" if letter.retries else ""
    facts = {
        "state": state,
        "reason": printable(letter.reason),
        "code": letter.code or "-",
        "cause": f"{letter.cause_id}: {printable(letter.cause)}",
        "attempts": f"{letter.attempts}, {first}{when(letter.died_at_ms)}{again}",
        "messageId": printable(letter.message_id),
        "type": " ".join(filter(None, (letter.type, printable(letter.event)))),
        "user": printable(letter.user) or "-",
        "received": letter.received_at or "-",
        "position": f"{letter.line} {letter.position}, partition {letter.partition}",
    }
    yield from (f"{name:10}  {value}" for name, value in facts.items())


def when(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if ms else "at an unknown time"


def ago(ms: int, now_ms: int) -> str:
    return span(max(0, now_ms - ms) / 1000) if ms else "-"
