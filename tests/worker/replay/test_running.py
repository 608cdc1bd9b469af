"""A replay carries every message once and in order, however often it is stopped, and takes away what it made."""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest
import redis
from sqlalchemy import Engine

from tests.worker.replay.rig import Scene, archived, planned, stored
from worker import keys
from worker.replay.account import account_of
from worker.replay.errors import ArchiveChanged, UnknownReplay, WrongState
from worker.replay.manifest import freeze, pages
from worker.replay.planning import plan
from worker.replay.replay import RESUMABLE, new_id
from worker.replay.running import MOST_WAITING, Runner, cancel
from worker.replay.selection import Selection

WEB = Selection(sources=("web",))


class _PowerCut(Exception):
    pass


@pytest.fixture
def scene(log_client: redis.Redis, database: Engine, tmp_path: Path) -> Scene:
    return Scene(log_client, database, tmp_path / "archive")


def numbers(bodies: Sequence[bytes]) -> list[int]:
    return [json.loads(body)["properties"]["number"] for body in bodies]


def by_user(bodies: Sequence[bytes]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for body in bodies:
        message = json.loads(body)
        found[message["userId"]].append(message["properties"]["number"])
    return dict(found)


def test_everything_arrives_once_marked_and_in_each_users_order(scene: Scene) -> None:
    batches = [[stored(n, hour=7) for n in range(300)], [stored(n, hour=8) for n in range(300, 700)]]
    archived(scene.root, *batches)
    replay = planned(scene.root, scene.replays, WEB)
    assert Runner(scene.around(), replay).run() == "done"
    assert sorted(numbers(scene.got)) == list(range(700))
    assert all(numbers == sorted(numbers) for numbers in by_user(scene.got).values())
    assert {json.loads(body)["_turnout"]["replay"] for body in scene.got} == {"r5f3a2"}
    account = account_of(scene.client, replay, 2)
    assert (account.carried, account.delivered, account.waiting) == (700, 700, 0)
    assert scene.replays.get(replay.id).sent == 700
    assert scene.lines_left() == 0
    assert scene.nudged[0][1] == "hook"


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 5])
def test_a_replay_that_is_cut_off_anywhere_goes_on_without_a_gap_or_a_double(scene: Scene, steps: int) -> None:
    archived(scene.root, *[[stored(n, hour=hour) for n in range(hour * 1000, hour * 1000 + 900)] for hour in (1, 2, 3)])
    replay = planned(scene.root, scene.replays, WEB)
    left = [steps]

    def cut() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise _PowerCut

    scene.after_carrying = cut
    with pytest.raises(_PowerCut):
        Runner(scene.around(), replay).run()
    scene.after_carrying = lambda: None
    scene.replays.note(replay.id, reached="", sent=0)  # as if it had been killed before it could note anything
    again = scene.replays.move(replay.id, "running", allowed=RESUMABLE)
    assert Runner(scene.around(), again).run() == "done"
    assert sorted(numbers(scene.got)) == [n for hour in (1, 2, 3) for n in range(hour * 1000, hour * 1000 + 900)]
    assert all(numbers == sorted(numbers) for numbers in by_user(scene.got).values())


def test_what_was_noted_is_not_read_again(scene: Scene) -> None:
    archived(scene.root, [stored(n, hour=1) for n in range(600)], [stored(n, hour=2) for n in range(600, 900)])
    replay = planned(scene.root, scene.replays, WEB)
    manifest = scene.replays.manifest_of(replay.id)
    first_page = next(pages(scene.root, manifest))
    scene.replays.note(replay.id, reached=first_page.cursor_of(len(first_page.bodies) - 1), sent=0)
    Runner(scene.around(), scene.replays.get(replay.id)).run()
    assert sorted(numbers(scene.got)) == sorted(set(range(900)) - set(numbers(first_page.bodies)))


def test_no_more_than_a_few_wait_for_the_destination_at_a_time(scene: Scene) -> None:
    archived(scene.root, [stored(n) for n in range(5_000)])
    Runner(scene.around(), planned(scene.root, scene.replays, WEB)).run()
    assert 1_000 < scene.most_waiting <= MOST_WAITING
    assert len(scene.got) == 5_000


def test_a_rate_holds_it_back(scene: Scene) -> None:
    archived(scene.root, [stored(n) for n in range(1_000)])
    Runner(scene.around(), planned(scene.root, scene.replays, WEB, rate=100.0)).run()
    assert 9.5 < scene.clock < 11
    assert max(scene.waits) <= 0.1


def test_a_pause_from_elsewhere_stops_it_and_a_resume_goes_on(scene: Scene) -> None:
    archived(scene.root, [stored(n) for n in range(3_000)])
    replay = planned(scene.root, scene.replays, WEB, rate=1_000.0)

    def paused() -> None:
        scene.deliver()
        if scene.clock > 1:
            scene.replays.move(replay.id, "paused", allowed=RESUMABLE)

    scene.meanwhile = paused
    assert Runner(scene.around(), replay).run() == "paused"
    assert 0 < scene.replays.get(replay.id).sent < 3_000
    scene.meanwhile = scene.deliver
    assert Runner(scene.around(), scene.replays.move(replay.id, "running", allowed=RESUMABLE)).run() == "done"
    assert sorted(numbers(scene.got)) == list(range(3_000))


def test_a_cancelled_replay_leaves_nothing_behind_and_its_account_balances(scene: Scene) -> None:
    archived(scene.root, [stored(n) for n in range(3_000)])
    replay = planned(scene.root, scene.replays, WEB)

    def cancelled() -> None:
        assert cancel(scene.around(), replay.id, allowed=RESUMABLE) == 0

    scene.meanwhile = cancelled
    assert Runner(scene.around(), replay).run() == "cancelled"
    account = account_of(scene.client, replay, 2)
    assert (account.dropped, account.waiting) == (account.carried, 0)
    assert account.carried == MOST_WAITING
    assert scene.lines_left() == 0
    assert not scene.client.exists(keys.ready(0, "hook"), keys.ready(1, "hook"))
    with pytest.raises(WrongState, match="is cancelled"):
        scene.replays.move(replay.id, "running", allowed=RESUMABLE)


def test_two_who_run_the_same_replay_double_nothing(scene: Scene) -> None:
    archived(scene.root, [stored(n) for n in range(2_600)])
    replay = planned(scene.root, scene.replays, WEB)

    def other() -> None:
        scene.meanwhile = scene.deliver
        Runner(scene.around(), replay).run()

    scene.meanwhile = other
    assert Runner(scene.around(), replay).run() == "done"
    assert sorted(numbers(scene.got)) == list(range(2_600))


def test_a_log_that_is_away_is_waited_for(scene: Scene) -> None:
    archived(scene.root, [stored(n) for n in range(10)])
    replay = planned(scene.root, scene.replays, WEB)
    away = redis.Redis.from_url("redis://127.0.0.1:9")
    here, scene.client = scene.client, away
    around = scene.around()
    scene.client = here

    def stopped() -> None:
        if scene.clock > 3:
            scene.replays.move(replay.id, "paused", allowed=RESUMABLE)

    scene.meanwhile = stopped
    assert Runner(around, replay).run() == "paused"
    assert any("the log does not answer" in trouble for _, trouble in scene.heard)


def test_messages_that_came_after_the_plan_are_none_of_its_business(scene: Scene) -> None:
    archived(scene.root, [stored(n) for n in range(20)])
    replay = planned(scene.root, scene.replays, WEB)
    archived(scene.root, [stored(n) for n in range(20, 40)])
    Runner(scene.around(), replay).run()
    assert sorted(numbers(scene.got)) == list(range(20))


def test_an_archive_that_lost_a_file_fails_the_replay_in_words(scene: Scene) -> None:
    archived(scene.root, [stored(n) for n in range(20)])
    replay = planned(scene.root, scene.replays, WEB)
    for index in scene.root.rglob("*.index"):
        index.unlink()
    assert Runner(scene.around(), replay).run() == "failed"
    assert "cannot be read: No such file" in scene.replays.get(replay.id).reason


def test_replays_of_replays_are_not_read_twice(scene: Scene) -> None:
    messages = [stored(n) for n in range(4)]
    copies = [stored(n) for n in range(4)]
    archived(scene.root, messages)
    for index in list(scene.root.rglob("p*.*")):
        index.with_name(index.name.replace(index.name[:3], f"{index.name[:3]}~r5f3a")).write_bytes(index.read_bytes())
    assert plan(scene.root, WEB).matched == len(copies)


def test_only_files_that_may_hold_an_id_are_read_for_it(scene: Scene) -> None:
    archived(scene.root, *[[stored(n, hour=n % 24) for n in range(first, first + 1)] for first in range(48)])
    found = plan(scene.root, Selection(sources=("web",), message_ids=("m7", "m30")))
    assert found.matched == 2
    assert found.looked_at <= 8


def test_only_the_hours_that_are_wanted_are_read(scene: Scene) -> None:
    archived(scene.root, *[[stored(n, hour=n)] for n in range(10)])
    wanted = Selection(sources=("web",), since="2024-05-06T03:00:00.000Z", until="2024-05-06T06:00:00.000Z")
    found = plan(scene.root, wanted)
    assert (found.matched, found.looked_at) == (3, 3)


def test_a_plan_tells_sizes_and_shows_the_first_messages(scene: Scene) -> None:
    messages = [stored(n, source=source) for n in range(6) for source in ("web", "app")]
    archived(scene.root, messages)
    found = plan(scene.root, Selection(sources=("app", "web"), where="properties.number >= 2"), samples=3)
    assert (found.matched, found.looked_at) == (8, 12)
    assert found.size == sum(len(one.body) for one in messages if one.json()["properties"]["number"] >= 2)
    assert len(found.samples) == 3


def test_frames_that_vanished_are_noticed(scene: Scene) -> None:
    archived(scene.root, [stored(n) for n in range(4)])
    manifest = freeze(scene.root, WEB)
    next(scene.root.rglob("*.index")).write_bytes(b"")
    with pytest.raises(ArchiveChanged):
        list(pages(scene.root, manifest))


def test_replays_are_listed_newest_first_and_unknown_ones_are_named(scene: Scene) -> None:
    replay = planned(scene.root, scene.replays, WEB)
    assert [one.id for one in scene.replays.all()] == [replay.id]
    with pytest.raises(UnknownReplay, match="r0000"):
        scene.replays.get("r0000")


def test_ids_of_replays_can_be_names_of_lines() -> None:
    found = {new_id() for _ in range(50)}
    assert len(found) == 50
    assert all(len(one) == 6 and one.isalnum() and one[0] == "r" for one in found)
