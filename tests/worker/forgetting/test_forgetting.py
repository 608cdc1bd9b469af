"""After a person was forgotten nothing finds them anywhere, and nobody else misses anything."""

import itertools
import os
import signal

from collector.log_port import Item, Refusal
from collector.spool.erasing import erase
from collector.spool.store import Store, account_of
from schemas.dates import stamp
from tests import databases
from tests.waiting import eventually
from tests.worker import rig
from tests.worker.forgetting.world import EMAIL, SECRETS, USER, VISITOR, World, found, message
from worker import connect
from worker.audit.auditing import Asked, audit
from worker.audit.report import Report as Audit
from worker.forgetting.conductor import Beside, Quiet, carry_out
from worker.forgetting.report import Report
from worker.stories.stores import stores_of

OTHERS = {"hello-other", "now-other", "dead-other", "aside-other", "waits-other", "fresh-other"}


def spooled(world: World) -> None:
    directory = world.config.data / "spool"
    directory.mkdir()
    store = Store(directory / "0.db", most_bytes=1 << 24)
    mine = Item(source="web", message_id="s1", user=USER, body=message("s1", USER, properties={"of": "zebra"}))
    other = Item(source="web", message_id="s2", user="otto", body=message("s2", "otto"))
    raw = message("s3", USER, type="nothing")
    refusal = Refusal(source="web", received_at="", kind="message", path="/", raw=raw, size=len(raw), violations=())
    store.add([([mine, other], [refusal])], 1.0)
    assert account_of(store._database).messages == 3
    store.close()


def forget(world: World, teller: Quiet | None = None) -> Report:
    beside = Beside("spool", lambda person: erase(world.config.data, person))
    return carry_out(world.stores, "SUPPRESS_WITH_DELETE", USER, beside=[beside], teller=teller, grace=0.0)


def nothing(world: World) -> bool:
    left = found(world, *SECRETS)
    assert left == []
    return True


def audited(world: World) -> Audit:
    now = rig.server_ms()
    eventually(lambda: rig.server_ms() > now + 1)
    return audit(world.stores, Asked())


def drained(world: World) -> bool:
    """Everything that waited for the hook has gone there."""
    ended = world.courier().drain(0, "hook")
    assert (ended, world.client.keys("*:lane:*")) == ("idle", [])
    return True


def nobody_is_missing(world: World) -> None:
    """Everybody else's messages go where they would have gone."""
    world.ready = True
    world.hurry()
    world.drain("archive", "profiles")
    eventually(lambda: drained(world))
    taken = set(world.hook.names())
    assert taken >= OTHERS
    assert not {"waits", "fresh"} & taken
    assert world.names_archived() >= OTHERS
    report = audited(world)
    assert report.balances, report


def test_a_search_of_every_store_finds_nothing_of_who_was_forgotten(world: World) -> None:
    spooled(world)
    assert {secret for _, secret in found(world, *SECRETS)} >= {USER, VISITOR, EMAIL, "zebra"}
    assert audited(world).balances
    report = forget(world)
    assert report.left == ()
    assert all(report.removed[store] for store in ("spool", "log", "retry lanes", "archive", "dead letters")), report
    assert all(report.removed[store] for store in ("quarantine", "stories", "replays", "profiles")), report
    eventually(lambda: nothing(world))
    assert audited(world).balances
    nobody_is_missing(world)
    assert found(world, *SECRETS) == []


class Deadly(Quiet):
    """Has the process killed when a step begins, or has just been worked on."""

    def __init__(self, after: int) -> None:
        self._left = after

    def step(self, words: str, total: int) -> None:
        self._count()

    def done(self, number: int) -> None:
        self._count()

    def _count(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def forget_elsewhere(world: World, teller: Quiet) -> None:
    """In a process of its own, which must not share connections."""
    client = connect.client(world.url, timeout=5.0)
    with databases.opened(world.config) as engine:
        beside = Beside("spool", lambda person: erase(world.config.data, person))
        stores = stores_of(client, engine, world.config)
        carry_out(stores, "SUPPRESS_WITH_DELETE", USER, beside=[beside], teller=teller, grace=0.0)


def test_whoever_is_killed_while_forgetting_and_begins_again_finishes_it(world: World) -> None:
    spooled(world)
    for after in itertools.count(1, 3):
        with rig.forked(lambda after=after: forget_elsewhere(world, Deadly(after))) as pid:  # type: ignore[misc]
            ended = rig.exit_code(pid)
        assert audited(world).balances
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
    assert after > 10
    eventually(lambda: nothing(world))
    nobody_is_missing(world)


def test_only_what_came_before_is_forgotten_when_nobody_is_to_be_suppressed(world: World) -> None:
    carry_out(world.stores, "DELETE_ONLY", USER, grace=0.0)
    eventually(lambda: nothing(world))
    world.post(message("again", USER, at=stamp(rig.server_ms() + 1)))
    world.drain("hook", "archive")
    assert "again" in world.names_archived()


def test_what_comes_of_somebody_suppressed_goes_nowhere_and_the_accounts_balance(world: World) -> None:
    carry_out(world.stores, "SUPPRESS_ONLY", "otto", grace=0.0)
    world.post(message("late", "otto"), message("late-nora", "nora"))
    world.drain("hook", "archive", "profiles")
    assert "late" not in world.hook.names()
    assert "late" not in world.names_archived()
    assert "late-nora" in world.hook.names()
    assert "hello-other" in world.names_archived(), "what was there before stays"
    assert audited(world).balances
    carry_out(world.stores, "UNSUPPRESS", "otto", grace=0.0)
    world.post(message("welcome", "otto", at=stamp(rig.server_ms() + 1)))
    world.drain("hook")
    assert "welcome" in world.hook.names()
