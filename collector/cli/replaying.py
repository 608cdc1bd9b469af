"""What `turnout replay` does: count, show, ask, carry, and tell how it ended."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import msgspec
import redis
import typer

from collector.cli.asking import log_of
from collector.cli.progress import bar
from collector.cli.replay_words import doubles, summary, told
from collector.cli.trouble import FOUND, WRONG, Trouble
from collector.config import Config
from destinations import registry
from destinations.archive.index import DamagedArchiveError
from destinations.errors import SettingsError
from worker import connect, jobs, nudge
from worker.database.engine import open_database
from worker.errors import WorkerError
from worker.lines import Line
from worker.replay import running
from worker.replay.account import Account, account_of, delivered_before
from worker.replay.errors import BadExpression, BadTime, UnknownReplay, WrongState
from worker.replay.expression import Expression
from worker.replay.planning import Plan, archive_of, plan
from worker.replay.rendering import rendered
from worker.replay.replay import RESUMABLE, RUNNING, Replay, new_id
from worker.replay.running import Runner, Surroundings
from worker.replay.selection import Selection
from worker.replay.store import Replays
from worker.replay.when import point

SHOWN_REQUESTS = 10


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says."""

    to: str
    sources: tuple[str, ...]
    since: str | None
    until: str | None
    types: tuple[str, ...]
    events: tuple[str, ...]
    users: tuple[str, ...]
    message_ids: tuple[str, ...]
    where: str
    rate: float
    dry_run: bool
    yes: bool
    as_json: bool


def send_again(config: Config, asked: Asked) -> None:
    with telling():
        selection = _selection(config, asked)
        root = archive_of(config)
        with bar("counting", None) as advance:
            found = plan(root, selection, samples=SHOWN_REQUESTS, told=lambda looked_at, _: advance(looked_at))
    draft = Replay(
        id=new_id(),
        destination=asked.to,
        selection=selection,
        matched=found.matched,
        size=found.size,
        rate=asked.rate,
    )
    if asked.dry_run:
        _show_requests(config, asked, draft, found)
        return
    if not asked.as_json:
        typer.echo("\n".join((*summary(draft, found), *_doubles(config, draft))))
    if not found.matched:
        if asked.as_json:
            _show_json(draft, None)
        return
    _confirm(asked)
    with kept_replays(config) as replays:
        replays.add(draft, found.manifest)
        _run(config, replays, draft.id, as_json=asked.as_json)


def resume_replay(config: Config, replay_id: str, *, rate: float, as_json: bool) -> None:
    with kept_replays(config) as replays:
        replays.get(replay_id)
        if rate:
            replays.set_rate(replay_id, rate)
        _run(config, replays, replay_id, as_json=as_json)


def cancel_replay(config: Config, replay_id: str) -> int:
    """How many messages could not be dropped any more."""
    with log_of(config) as client, kept_replays(config) as replays:
        return running.cancel(_around(config, client, replays), replay_id, allowed=(*RESUMABLE, "cancelled"))


def show_replay(config: Config, replay_id: str, *, as_json: bool) -> None:
    with log_of(config) as client, kept_replays(config) as replays:
        replay = replays.get(replay_id)
        account = account_of(client, replay, config.log.partitions)
    if as_json:
        _show_json(replay, account)
    else:
        typer.echo("\n".join(told(replay, account)))


@contextmanager
def kept_replays(config: Config) -> Iterator[Replays]:
    with telling():
        engine = open_database(config)
        try:
            yield Replays(engine)
        finally:
            engine.dispose()


@contextmanager
def telling() -> Iterator[None]:
    """What goes wrong, in a line."""
    try:
        yield
    except (BadExpression, BadTime, UnknownReplay, WrongState) as error:
        raise Trouble(error, code=WRONG) from error
    except (WorkerError, DamagedArchiveError) as error:
        raise Trouble(error) from error


def _selection(config: Config, asked: Asked) -> Selection:
    if asked.to not in config.wanted():
        there = ", ".join(config.wanted()) or "none"
        raise Trouble(f"no source goes to a destination {asked.to!r}; there are {there}", code=WRONG)
    for source in asked.sources:
        if source not in config.sources:
            raise Trouble(f"there is no source {source!r}; there are {', '.join(config.sources)}", code=WRONG)
    if asked.where:
        Expression(asked.where)
    now = int(time.time() * 1000)
    routed = tuple(name for name, destinations in sorted(config.routes().items()) if asked.to in destinations)
    return Selection(
        sources=asked.sources or routed,
        since=point(asked.since, now) if asked.since else "",
        until=point(asked.until, now) if asked.until else "",
        types=asked.types,
        events=asked.events,
        users=asked.users,
        message_ids=asked.message_ids,
        where=asked.where,
    )


def _doubles(config: Config, draft: Replay) -> list[str]:
    if not draft.matched:
        return []
    with log_of(config) as client:
        before = delivered_before(client, draft.selection.sources, draft.destination, config.log.partitions)
    return [doubles(draft, before)]


def _confirm(asked: Asked) -> None:
    if asked.yes:
        return
    if not sys.stdin.isatty():
        raise Trouble("this is not a terminal: say --yes to send them", code=WRONG)
    if not typer.confirm("Send them?", err=True):
        raise typer.Exit


def _show_requests(config: Config, asked: Asked, draft: Replay, found: Plan) -> None:
    table = config.destinations[asked.to]
    try:
        destination = registry.make(asked.to, table.type, table.settings, place=table.place)
    except SettingsError as error:
        raise Trouble(*error.problems, code=WRONG) from error
    texts = [rendered(destination, Line(source, draft.id, asked.to), body) for source, body in found.samples]
    destination.close()
    if asked.as_json:
        shown = {"matched": found.matched, "size": found.size, "lookedAt": found.looked_at, "requests": texts}
        typer.echo(msgspec.json.encode(shown).decode())
        return
    for text in texts:
        typer.echo(f"{text}\n")
    typer.echo("\n".join((*summary(draft, found), *_doubles(config, draft))))
    typer.echo("nothing was sent")


def _run(config: Config, replays: Replays, replay_id: str, *, as_json: bool) -> None:
    replay = replays.move(replay_id, "running", allowed=RESUMABLE)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with log_of(config) as client:
        around = _around(config, client, replays)
        try:
            with bar(replay_id, replay.matched) as advance:
                watched = msgspec.structs.replace(around, told=lambda account, trouble: advance(account.ended, trouble))
                Runner(watched, replay).run()
        except KeyboardInterrupt:
            with suppress(WrongState):
                replays.move(replay_id, "paused", allowed=RUNNING)
        account = account_of(client, replay, config.log.partitions)
    replay = replays.get(replay_id)
    if as_json:
        _show_json(replay, account)
    else:
        typer.echo("\n".join(told(replay, account)))
    if replay.state != "done" or account.dead:
        raise typer.Exit(FOUND)


def _around(config: Config, client: "redis.Redis", replays: Replays) -> Surroundings:
    queue = jobs.queue_on(connect.rq_client(config.rq.url))
    most = nudge.most_queued(config.log.partitions, len(config.wanted()))
    return Surroundings(
        client=client,
        replays=replays,
        archive=archive_of(config),
        partitions=config.log.partitions,
        nudge=lambda pairs: nudge.send(queue, pairs, most),
    )


def _show_json(replay: Replay, account: Account | None) -> None:
    typer.echo(msgspec.json.encode({"replay": replay, "account": account}).decode())
