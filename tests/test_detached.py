"""A destination that is out while the log needs its room: it is detached, catches up, and the books always balance."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from collector import config as configuration
from collector.run import located
from tests.receiver import Answer, Receiver
from tests.running import Running, running
from tests.waiting import eventually
from worker import connect, keys
from worker.audit.auditing import Asked, audit
from worker.audit.report import Report
from worker.catchup.detaching import detach
from worker.catchup.filling import gaps
from worker.catchup.laggards import Laggard
from worker.database.engine import open_database
from worker.log import Log
from worker.stories.stores import Stores, stores_of
from worker.stories.where import story_of

PARTITIONS = 2
CONFIG = """
[log]
partitions = 2

[sources.web]
write_keys = ["dev"]

[destinations.hook]
type = "webhook"
url = "{url}"
allow_private = true
retry = {{ first = "100ms", factor = 1.0, longest = "100ms", horizon = "24h" }}
"""


@contextmanager
def stores(turnout: Running) -> Iterator[Stores]:
    config = located(configuration.load(turnout.directory / "turnout.toml", {}, data=turnout.data))
    engine = open_database(config)
    client: redis.Redis = connect.client(config.log.url, timeout=10.0)
    try:
        yield stores_of(client, engine, config)
    finally:
        client.close()
        engine.dispose()


def post(turnout: Running, start: int, count: int) -> None:
    for first in range(start, start + count, 50):
        numbers = range(first, min(first + 50, start + count))
        batch = [{"type": "track", "event": "E", "userId": f"u{n % 7}", "messageId": str(n)} for n in numbers]
        assert turnout.post("/v1/batch", {"batch": batch})[0] == 200


def balanced(found: Stores) -> Report:
    report = audit(found, Asked())
    assert report.balances, report
    return report


def hook_of(report: Report) -> tuple[int, int]:
    """Delivered, and waiting."""
    account = next(one for one in report.accounts if one.destination == "hook")
    return account.delivered, account.waiting


def detached(found: Stores) -> bool:
    """Detach it wherever nobody delivers just now; whether it is everywhere."""
    log = Log(found.client, lease_ms=10_000)
    for partition in range(PARTITIONS):
        detach(found.client, log, Laggard(partition, "web", "hook"), "test")
    return all(found.client.exists(keys.detached(partition, "hook")) for partition in range(PARTITIONS))


def test_the_books_balance_before_while_and_after_a_destination_catches_up(tmp_path: Path) -> None:
    with (
        Receiver() as receiver,
        running(tmp_path, CONFIG.format(url=receiver.url)) as turnout,
        stores(turnout) as found,
    ):
        receiver.always(Answer(200))
        post(turnout, 0, 100)
        eventually(lambda: hook_of(balanced(found)) == (100, 0), what="all are delivered")
        receiver.always(Answer(503))
        post(turnout, 100, 100)
        eventually(lambda: detached(found), what="it is detached in all partitions")
        post(turnout, 200, 300)
        eventually(lambda: archived(turnout) == 500, what="all are archived")
        assert hook_of(balanced(found)) == (100, 400)
        (copy,) = story_of(found, "499").copies
        assert [journey.state for journey in copy.journeys if journey.destination == "hook"] == ["waiting"]

        receiver.always(Answer(200))
        numbers = iter(range(500, 100_000, 10))
        eventually(lambda: caught_up(turnout, found, next(numbers)), within=60.0, what="it has caught up")
        sent = next(numbers)
        eventually(lambda: hook_of(balanced(found)) == (sent, 0), within=30.0, what="all are delivered")
        assert balanced(found).notes == ()
        names = Counter(request.headers["x-message-id"] for request in receiver.requests)
        assert set(names) == {str(number) for number in range(sent)}


def archived(turnout: Running) -> int:
    return len(turnout.archived("web"))


def caught_up(turnout: Running, found: Stores, number: int) -> bool:
    """After some more messages, and a look into the books."""
    post(turnout, number, 10)
    balanced(found)
    return next(gaps(found.client, found.config), None) is None
