"""`turnout replay`: send messages again, to one destination."""

from enum import StrEnum
from typing import Annotated

import typer

from collector.cli.options import AsJson, ConfigFile, DataDirectory, configured, reaching
from collector.cli.table import count, span, table
from collector.cli.trouble import FOUND, WRONG, Trouble

ReplayId = Annotated[str, typer.Argument(metavar="ID", help="Which one: `turnout replay list` shows them.")]

replay = typer.Typer(name="replay", help="Send messages again, to one destination.")


class Origin(StrEnum):
    """Where messages are taken from."""

    ARCHIVE = "archive"
    DEAD = "dead"


To = Annotated[str | None, typer.Option("--to", metavar="DESTINATION", help="Where to send them.")]
Sources = Annotated[
    list[str] | None,
    typer.Option("--source", "-s", metavar="SOURCE", help="Else all sources that go there. Repeatable."),
]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="Received since: 2026-02-28T14:00, 2h, 3d, yesterday."),
]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Received before.")]
Types = Annotated[list[str] | None, typer.Option("--type", "-t", metavar="TYPE", help="Only of this type. Repeatable.")]
Events = Annotated[
    list[str] | None,
    typer.Option("--event", "-e", metavar="EVENT", help="Only track messages of this event. Repeatable."),
]
Users = Annotated[
    list[str] | None,
    typer.Option("--user", "-u", metavar="ID", help="Of this userId or anonymousId. Repeatable."),
]
MessageIds = Annotated[
    list[str] | None, typer.Option("--message-id", metavar="ID", help="Only this message. Repeatable.")
]
Where = Annotated[
    str | None,
    typer.Option("--where", metavar="EXPRESSION", help="Only if this holds: 'properties.revenue > 100'."),
]
From = Annotated[Origin, typer.Option("--from", help="All that came in, or dead letters.")]
Rate = Annotated[str | None, typer.Option("--rate", metavar="N/s", help="At most so many messages: 100/s, 6000/min.")]


@replay.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    to: To = None,
    source: Sources = None,
    since: Since = None,
    until: Until = None,
    kind: Types = None,
    event: Events = None,
    user: Users = None,
    message_id: MessageIds = None,
    where: Where = None,
    origin: From = Origin.ARCHIVE,
    rate: Rate = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the first requests, and send nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: ConfigFile = None,
    data: DataDirectory = None,
    as_json: AsJson = False,
) -> None:
    """Send messages again, to one destination.

    Counts first, then asks. Each message carries `_turnout.replay`, keeps its
    messageId, and each user's messages keep their order.
    """
    if context.invoked_subcommand is not None:
        return
    if to is None:
        raise Trouble("say where to: turnout replay --to DESTINATION", code=WRONG)
    from collector.cli.replay_asked import Asked
    from collector.cli.replay_dead import send_dead_again
    from collector.cli.replaying import send_again

    asked = Asked(
        to=to,
        sources=tuple(source or ()),
        since=since,
        until=until,
        types=tuple(kind or ()),
        events=tuple(event or ()),
        users=tuple(user or ()),
        message_ids=tuple(message_id or ()),
        where=where or "",
        rate=_per_second(rate),
        dry_run=dry_run,
        yes=yes,
        as_json=as_json,
    )
    send = send_dead_again if origin is Origin.DEAD else send_again
    send(reaching(configured(config, data)), asked)


@replay.command("list")
def list_replays(config: ConfigFile = None, data: DataDirectory = None, as_json: AsJson = False) -> None:
    """Show all replays, the newest first."""
    import msgspec

    from collector.cli.replaying import kept_replays

    with kept_replays(configured(config, data)) as replays:
        found = replays.all()
    if as_json:
        for each in found:
            typer.echo(msgspec.json.encode(each).decode())
        return
    rows = [(each.id, each.state, each.destination, each.matched, each.sent, _when(each.created_at)) for each in found]
    heads = ("id", "state", "to", "matched", "sent", "made")
    typer.echo("\n".join(table(heads, rows)) if rows else "there are no replays")


@replay.command("show")
def show(replay_id: ReplayId, config: ConfigFile = None, data: DataDirectory = None, as_json: AsJson = False) -> None:
    """Show one replay, with what became of its messages."""
    from collector.cli.replaying import show_replay

    show_replay(reaching(configured(config, data)), replay_id, as_json=as_json)


@replay.command("resume")
def resume(
    replay_id: ReplayId,
    rate: Rate = None,
    config: ConfigFile = None,
    data: DataDirectory = None,
    as_json: AsJson = False,
) -> None:
    """Go on with a replay that was paused, or killed.

    Nothing is left out, nothing doubled.
    """
    from collector.cli.replaying import resume_replay

    resume_replay(reaching(configured(config, data)), replay_id, rate=_per_second(rate), as_json=as_json)


@replay.command("pause")
def pause(replay_id: ReplayId, config: ConfigFile = None, data: DataDirectory = None) -> None:
    """Stop a replay for now. What is in its lines already is still delivered."""
    from collector.cli.replaying import kept_replays

    with kept_replays(configured(config, data)) as replays:
        replays.move(replay_id, "paused", allowed=("planned", "running"))
    typer.echo(f"paused; go on with: turnout replay resume {replay_id}")


@replay.command("cancel")
def cancel(replay_id: ReplayId, config: ConfigFile = None, data: DataDirectory = None) -> None:
    """Stop a replay for good, and drop what still waits in its lines."""
    from collector.cli.replaying import cancel_replay

    left = cancel_replay(reaching(configured(config, data)), replay_id)
    typer.echo(f"cancelled {replay_id}")
    if left:
        typer.echo(f"{count(left)} messages are just being delivered, or wait to be tried once more")
        raise typer.Exit(FOUND)


def _per_second(rate: str | None) -> float:
    """0.0: no limit."""
    if rate is None:
        return 0.0
    number, _, unit = rate.partition("/")
    seconds = {"": 1, "s": 1, "min": 60, "m": 60, "h": 3_600}.get(unit.strip())
    try:
        found = float(number) / (seconds or 0)
    except (ValueError, ZeroDivisionError):
        found = 0.0
    if not 0 < found < 1e9:
        raise Trouble(f"--rate: {rate!r} is no rate: write 100/s or 6000/min", code=WRONG)
    return found


def _when(at_ms: int) -> str:
    import time

    return f"{span(max(0.0, time.time() - at_ms / 1000))} ago"
