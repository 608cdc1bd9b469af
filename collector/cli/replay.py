"""`turnout replay`: send messages again, to one destination."""

from enum import StrEnum
from typing import Annotated

import typer

from collector.cli.options import AsJson, ConfigFile, DataDirectory, configured, reaching
from collector.cli.table import count, span, table
from collector.cli.trouble import FOUND, WRONG, Trouble

Many = list[str] | None
ReplayId = Annotated[str, typer.Argument(metavar="ID", help="Which one: `turnout replay list` shows them.")]
Rate = Annotated[str | None, typer.Option("--rate", help="At most so many messages: 100/s, 6000/min.")]

replay = typer.Typer(name="replay", help="Send messages again, to one destination.")


class Origin(StrEnum):
    """Where messages are taken from."""

    ARCHIVE = "archive"
    DEAD = "dead"


@replay.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    to: Annotated[str | None, typer.Option(metavar="DESTINATION", help="Where to send them.")] = None,
    source: Annotated[Many, typer.Option("--source", "-s", help="Else all sources that go there. Repeatable.")] = None,
    since: Annotated[str | None, typer.Option(help="Received since: 2026-02-28T14:00, 2h, 3d, yesterday.")] = None,
    until: Annotated[str | None, typer.Option(help="Received before.")] = None,
    kind: Annotated[Many, typer.Option("--type", "-t", help="Only of this type. Repeatable.")] = None,
    event: Annotated[Many, typer.Option("--event", "-e", help="Only track messages of this event. Repeatable.")] = None,
    user: Annotated[Many, typer.Option("--user", "-u", help="Of this userId or anonymousId. Repeatable.")] = None,
    message_id: Annotated[Many, typer.Option("--message-id", help="Only this message. Repeatable.")] = None,
    where: Annotated[str | None, typer.Option(help="Only if this holds: 'properties.revenue > 100'.")] = None,
    origin: Annotated[
        Origin, typer.Option("--from", help="Everything that came in, or dead letters.")
    ] = Origin.ARCHIVE,
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
    from collector.cli.replaying import Asked, send_again

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
    if origin is Origin.DEAD:
        raise Trouble("dead letters are sent again with `turnout dead retry`", code=WRONG)
    send_again(reaching(configured(config, data)), asked)


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
    """Go on with a replay that was paused, or killed: nothing is left out, nothing doubled."""
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
