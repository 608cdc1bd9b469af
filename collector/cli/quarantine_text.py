"""How what was refused looks in a terminal, and in JSON."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from collector.cli.dead_text import ago, when
from collector.cli.table import WIDTH, counted, short, table
from collector.cli.tail import printable

if TYPE_CHECKING:
    from worker.refusals.desk import Group, Refusal


def as_json(refusal: "Refusal") -> dict[str, Any]:
    """With what was sent as text."""
    import msgspec

    found: dict[str, Any] = msgspec.to_builtins(refusal)
    return {**found, "raw": refusal.raw.decode(errors="replace")}


def listed(refusals: "Sequence[Refusal]", now_ms: int) -> list[str]:
    rows = [
        (each.id, ago(each.last_at_ms, now_ms), each.count, each.source, each.path, printable(_said(each)))
        for each in refusals
    ]
    return table(("id", "came", "times", "source", "path", "what is wrong"), rows)


def _said(refusal: "Refusal") -> str:
    return refusal.wrong if refusal.state == "held" else f"({refusal.state}) {refusal.wrong}"


def grouped(groups: "Sequence[Group]", now_ms: int) -> list[str]:
    """Two lines each: the figures, and what is wrong in words."""
    rows = [
        (
            each.arrivals,
            each.refusals,
            each.source,
            printable(each.rule),
            ago(each.first_at_ms, now_ms),
            ago(each.last_at_ms, now_ms),
        )
        for each in groups
    ]
    head, *lines = table(("times", "different", "source", "rule", "first", "last"), rows)
    words = [f"       {short(printable(each.wrong), WIDTH - 7)}" for each in groups]
    return [head, *(line for pair in zip(lines, words, strict=True) for line in pair)]


def whole(refusal: "Refusal") -> Iterator[str]:
    """Everything that is known of one."""
    what = "a message" if refusal.kind == "message" else "a request"
    yield f"refusal {refusal.id}: {what} to {refusal.source} {refusal.path}"
    state = f"{refusal.state} since {when(refusal.state_at_ms)}"
    if refusal.discard_reason:
        state += f": {printable(refusal.discard_reason)}"
    first = when(refusal.received_at_ms)
    facts = {
        "state": state,
        "came": f"{counted(refusal.count, 'time')}, first {first}, last {when(refusal.last_at_ms)}",
        "rule": printable(refusal.rule),
        "messageId": printable(refusal.message_id) or "-",
        "type": printable(refusal.type) or "-",
        "event": printable(refusal.event) or "-",
        "user": printable(refusal.user) or "-",
        "size": counted(refusal.size, "byte"),
    }
    yield from (f"{name:10}  {value}" for name, value in facts.items())
    yield ""
    yield "what is wrong"
    yield from (f"  {printable(line)}" for line in _violations(refusal))
    yield ""
    yield "what was sent, edited" if refusal.edited else "what was sent"
    yield from (f"  {printable(line)}" for line in (refusal.raw.decode(errors="replace").splitlines() or ["(nothing)"]))


def _violations(refusal: "Refusal") -> Iterator[str]:
    for each in refusal.violations:
        yield each.found if each.rule == "body" else each.sentence()
