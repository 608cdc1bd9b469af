"""What `turnout replay` says, before and after. Pure."""

from typing import TYPE_CHECKING

from collector.cli.table import count, counted, size, span

if TYPE_CHECKING:
    from worker.replay.account import Account
    from worker.replay.planning import Plan
    from worker.replay.replay import Replay


def summary(draft: "Replay", found: "Plan") -> list[str]:
    """What would be sent, and how long that takes."""
    sources = ", ".join(draft.selection.sources)
    first = f"{counted(found.matched, 'message')} of {sources}, {size(found.size)}, out of {count(found.looked_at)}"
    if not found.matched:
        return [first]
    slow = f"about {span(found.matched / draft.rate)} at {draft.rate:g}/s" if draft.rate else "as fast as it takes them"
    return [first, f"to {draft.destination}: {slow}"]


def doubles(draft: "Replay", before: int) -> str:
    """What the destination may get a second time."""
    if not before:
        return f"{draft.destination} has had nothing from there before: nothing arrives twice"
    return (
        f"{draft.destination} has had {counted(before, 'message')} from there before:\n"
        "what is among them arrives a second time, with the same messageId"
    )


def told(replay: "Replay", account: "Account") -> list[str]:
    """How it stands."""
    became = [f"{count(account.delivered)} delivered"]
    more = {name: getattr(account, name) for name in ("filtered", "dead", "dropped", "waiting")}
    became += [f"{count(number)} {name}" for name, number in more.items() if number]
    sent = f"{count(account.carried)} of {count(replay.matched)} sent to {replay.destination}"
    lines = [f"{replay.id} {replay.state}: {sent}", f"of these {', '.join(became)}"]
    lines += [replay.reason] if replay.reason else []
    lines += [f"go on with: turnout replay resume {replay.id}"] if replay.resumable else []
    return lines
