"""What `turnout replay` does: count, show, ask, carry, and tell how it ended."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import msgspec
import redis
import typer

from collector.cli.asking import log_of
from collector.cli.progress import bar
from collector.cli.replay_asked import Asked, confirm, requests, selection_of, show, show_json, telling
from collector.cli.replay_words import doubles, summary, told
from collector.cli.trouble import FOUND
from collector.config import Config
from worker import connect, jobs, nudge
from worker.database.engine import open_database
from worker.lines import Line
from worker.replay import running
from worker.replay.account import account_of, delivered_before
from worker.replay.errors import WrongState
from worker.replay.marking import marked
from worker.replay.planning import Plan, archive_of, plan
from worker.replay.replay import RESUMABLE, RUNNING, Replay, new_id
from worker.replay.running import Runner, Surroundings
from worker.replay.store import Replays

SHOWN_REQUESTS = 10


def send_again(config: Config, asked: Asked) -> None:
    with telling():
        selection = selection_of(config, asked)
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
            show_json({"replay": draft, "account": None})
        return
    confirm(asked)
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
        show_json({"replay": replay, "account": account})
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


def _doubles(config: Config, draft: Replay) -> list[str]:
    if not draft.matched:
        return []
    with log_of(config) as client:
        before = delivered_before(client, draft.selection.sources, draft.destination, config.log.partitions)
    return [doubles(draft, before)]


def _show_requests(config: Config, asked: Asked, draft: Replay, found: Plan) -> None:
    samples = [(Line(source, draft.id, asked.to), marked(body, draft.id)) for source, body in found.samples]
    texts = requests(config, asked.to, samples)
    if asked.as_json:
        show_json({"matched": found.matched, "size": found.size, "lookedAt": found.looked_at, "requests": texts})
        return
    show(texts)
    typer.echo("\n".join((*summary(draft, found), *_doubles(config, draft), "nothing was sent")))


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
        show_json({"replay": replay, "account": account})
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
        nudge=lambda pairs: nudge.send_later(queue, pairs, most),
    )
