"""The audit finds exactly what is wrong."""

import msgspec
import redis

from tests.waiting import eventually
from tests.worker.audit.rig import World, account
from tests.worker.rig import server_ms
from worker import keys
from worker.audit.auditing import Asked
from worker.audit.report import Report
from worker.config import Source, StorySettings
from worker.log import Log
from worker.stories.keeping import forget
from worker.story import Part


def later(world: World) -> Report:
    """What an audit says once the messages are not of this very millisecond."""
    now = server_ms()
    eventually(lambda: server_ms() > now + 1)
    return world.audited()


def wrongs(report: Report) -> list[tuple[str, str]]:
    return [(broken.message_id, broken.destination) for broken in report.broken]


def test_a_log_that_nothing_came_to_balances(world: World) -> None:
    assert later(world).balances


def test_every_message_in_its_place_balances(world: World) -> None:
    positions = world.accept("a", "b", "c", "d")
    world.archive(positions)
    dead = Part("dead", positions=(positions[1],), reason="400", code="refused")
    filtered = Part("filtered", positions=(positions[2],), reason="integrations")
    world.carry("hook", Part("delivered"), dead, filtered, first=positions[0], last=positions[-1])
    world.count(delivered_hook=2, dead_hook=1, filtered_hook=1)
    world.letter("b", positions[1])
    world.trim()
    world.accept("e")
    report = later(world)
    assert report.balances, report
    assert account(report, "hook") == {"accepted": 5, "delivered": 2, "filtered": 1, "dead": 1, "waiting": 1}
    assert account(report, "archive") == {"accepted": 5, "delivered": 4, "waiting": 1}


def test_a_message_that_nothing_is_told_of_is_named(world: World) -> None:
    first, second, third = world.accept("a"), world.accept("b"), world.accept("c")
    world.archive([*first, *second, *third])
    for position in (first, second, third):
        world.carry("hook", Part("delivered", positions=tuple(position)), first="", last="")
    world.count(delivered_hook=3)
    assert later(world).balances
    world.forget(second[0])
    report = later(world)
    assert wrongs(report) == [("b", "hook")]
    assert report.broken[0].position == second[0]
    world.trim()
    assert wrongs(later(world)) == [("b", "hook")], "the archive knows its name too"


def test_a_dead_message_without_its_letter_is_named(world: World) -> None:
    positions = world.accept("a", "b")
    world.archive(positions)
    world.carry(
        "hook", Part("delivered"), Part("dead", positions=(positions[1],)), first=positions[0], last=positions[1]
    )
    world.count(delivered_hook=1, dead_hook=1)
    report = later(world)
    assert wrongs(report) == [("b", "hook")]
    assert "no dead letter" in report.broken[0].wrong


def test_a_letter_that_was_sent_again_and_died_elsewhere_is_still_there(world: World) -> None:
    positions = world.accept("a")
    world.archive(positions)
    world.carry("hook", Part("dead"), first=positions[0], last=positions[0])
    world.count(dead_hook=1)
    world.letter("a", f"{server_ms()}-0/0", line="web~retry~hook", retries=1)
    report = later(world)
    assert report.balances, report


def test_a_message_that_ended_twice_is_named(world: World) -> None:
    positions = world.accept("a", "b")
    world.archive(positions)
    world.deliver(positions)
    world.carry("hook", Part("filtered", positions=(positions[0],)), first="", last="")
    assert wrongs(later(world)) == [("a", "hook")]


def test_a_message_that_the_archive_lost_shows_in_the_accounts(world: World) -> None:
    positions = world.accept("a", "b")
    world.archive(positions[:2])
    world.deliver(positions)
    world.trim()
    world.client.hincrby(keys.count(0, "web"), "received", 1)
    report = later(world)
    assert not report.broken
    assert report.differences == ("web in p00: 3 received, but archive and log hold 2",)


def test_a_counter_that_is_wrong_is_told(world: World) -> None:
    positions = world.accept("a")
    world.archive(positions)
    world.deliver(positions)
    world.count(delivered_hook=1)
    assert later(world).differences == ("web in p00 to hook: 2 counted as delivered, but 1 told of",)


def test_what_waits_aside_is_in_its_place(world: World) -> None:
    positions = world.accept("a", "b")
    world.archive(positions)
    world.carry(
        "hook", Part("delivered"), Part("aside", positions=(positions[1],)), first=positions[0], last=positions[1]
    )
    world.count(delivered_hook=1)
    put = {"position": positions[1], "line": "web", "received_ms": 1, "message": {}, "attempts": 1}
    world.client.rpush(keys.lane_of(0, "hook", "u"), msgspec.json.encode(put))
    world.client.zadd(keys.aside(0, "hook"), {"u": 1})
    assert account(later(world), "hook") == {"accepted": 2, "delivered": 1, "waiting": 1}
    world.client.delete(keys.lane_of(0, "hook", "u"))
    assert wrongs(later(world)) == [("b", "hook")]


def test_what_was_read_and_not_finished_is_in_its_place(world: World) -> None:
    positions = world.accept("a", "b")
    world.archive(positions)
    entry = positions[0].partition("/")[0]
    world.client.xreadgroup("hook", "c", {keys.log(0, "web"): ">"})
    assert account(later(world), "hook")["waiting"] == 2
    world.client.hset(keys.left(0, "web", "hook"), entry, "1")
    assert wrongs(later(world)) == [("a", "hook")], "only the second is left"


def test_messages_that_come_while_it_works_are_left_out(world: World) -> None:
    world.archive(world.accept("a"))
    now = server_ms()
    eventually(lambda: server_ms() > now + 1)
    report = world.audited(Asked(until_ms=now - 60_000))
    assert report.balances
    assert not any(account.accepted for account in report.accounts)


def test_it_says_from_when_on_it_can_prove(world: World) -> None:
    positions = world.accept("a")
    world.archive(positions)
    world.deliver(positions)
    assert later(world).notes == ()
    short = msgspec.structs.replace(
        world.config, story=StorySettings(most_bytes=type(world.config.story.most_bytes)(1))
    )
    forget(world.engine, short)
    report = later(world)
    assert report.balances
    assert any("have been forgotten" in note for note in report.notes)


def test_a_destination_that_came_later_answers_only_for_what_came_after_it(
    world: World, log_client: redis.Redis
) -> None:
    positions = world.accept("a")
    world.archive(positions)
    world.deliver(positions)
    now = server_ms()
    eventually(lambda: server_ms() > now + 1)
    Log(log_client, lease_ms=1).attach(0, "web", ["hook", "archive", "late"])
    web = Source(destinations=("hook", "archive", "late"))
    tables = {**world.config.destinations, "late": world.config.destinations["hook"]}
    world = World(
        log_client, world.engine, msgspec.structs.replace(world.config, sources={"web": web}, destinations=tables)
    )
    world.accept("b")
    report = later(world)
    assert report.balances, report
    assert account(report, "late") == {"accepted": 1, "waiting": 1}


def test_a_source_without_an_archive_is_proved_from_the_log_alone(world: World) -> None:
    web = Source(destinations=("hook",))
    bare = msgspec.structs.replace(world.config, sources={"web": web})
    world = World(world.client, world.engine, bare)
    world.terms = msgspec.structs.replace(world.terms, routes={"web": ("hook",)})
    world.deliver(world.accept("a"))
    world.accept("b")
    report = later(world)
    assert report.balances
    assert report.notes == ("web has no archive: only what is still in the log was looked at",)
