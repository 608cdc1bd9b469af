"""After a person was forgotten nothing finds them anywhere, and nobody else misses anything."""

from collector.log_port import Item, Refusal
from collector.spool.erasing import erase
from collector.spool.store import Store, account_of
from tests.waiting import eventually
from tests.worker import rig
from tests.worker.forgetting.world import EMAIL, SECRETS, USER, VISITOR, World, found, message
from worker.audit.auditing import Asked, audit
from worker.audit.report import Report as Audit
from worker.forgetting.conductor import Beside, Quiet, carry_out
from worker.forgetting.report import Report

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


def nobody_is_missing(world: World) -> None:
    """Everybody else's messages go where they would have gone."""
    world.ready = True
    world.hurry()
    world.drain("archive", "profiles")
    eventually(lambda: world.courier().drain(0, "hook") == "idle" and not world.client.keys("*:lane:*"))
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
