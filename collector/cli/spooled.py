"""What `turnout status` says of the messages that wait on this machine for the log."""

from typing import TYPE_CHECKING

from collector.cli.table import counted, size, span

if TYPE_CHECKING:
    from collector.spool.status import SpoolStatus


def troubles(found: "SpoolStatus", now: float) -> list[str]:
    """Lines for people; none while nothing waits, as it should be."""
    unreadable = [f"warning: the spool file {path} cannot be read" for path in found.unreadable]
    if not found.messages:
        return unreadable
    since = "" if found.since is None else f", the oldest for {span(max(0.0, now - found.since))}"
    words = (
        f"warning: {counted(found.messages, 'message')} ({size(found.bytes)}) wait on this machine for the log{since}"
    )
    return [words, *unreadable]
