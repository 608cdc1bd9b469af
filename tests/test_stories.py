"""Messages through a whole Turnout, with a receiver that fails some: every story is complete and true, all balances."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis
from sqlalchemy import delete

from collector import config as configuration
from collector.run import located
from destinations.sql.engine import writing
from tests.receiver import Act, Answer, Received, Receiver
from tests.running import Running, running
from tests.waiting import eventually
from worker import connect
from worker.audit.auditing import Asked, audit
from worker.audit.report import Report
from worker.database.engine import open_database
from worker.database.story_tables import PASSAGES
from worker.database.tables import DEAD_LETTERS
from worker.stories.stores import Stores, stores_of
from worker.stories.story import Copy, Journey
from worker.stories.where import story_of
from worker.story import sortable

MESSAGES = 200
CONFIG = """
[log]
partitions = 2

[sources.web]
write_keys = ["dev"]

[destinations.hook]
type = "webhook"
url = "{url}"
allow_private = true
retry = {{ first = "20ms", factor = 1.0, longest = "20ms", horizon = "24h" }}
"""


def kind(number: int) -> str:
    """What the receiver makes of a message."""
    return {3: "refused", 5: "late", 7: "unwanted"}.get(number % 10, "fine")


class Moody:
    """Refuses some messages for ever, and some the first time."""

    def __init__(self) -> None:
        self.tries: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, received: Received) -> Act:
        name = received.headers["x-message-id"]
        with self._lock:
            self.tries[name] += 1
            first = self.tries[name] == 1
        match kind(int(name)):
            case "refused":
                return Answer(400, body=b"no such field")
            case "late" if first:
                return Answer(503, body=b"busy")
        return Answer(200)


def message(number: int) -> dict[str, object]:
    about = {"type": "track", "event": "E", "userId": f"u{number % 20}", "messageId": str(number)}
    return {**about, "integrations": {"hook": kind(number) != "unwanted"}}


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


@pytest.fixture(scope="module")
def moody() -> Moody:
    return Moody()


@pytest.fixture(scope="module")
def turnout(tmp_path_factory: pytest.TempPathFactory, moody: Moody) -> Iterator[Running]:
    directory = tmp_path_factory.mktemp("stories")
    with Receiver() as receiver:
        receiver.always(moody)
        with running(directory, CONFIG.format(url=receiver.url)) as found:
            for start in range(0, MESSAGES, 20):
                batch = [message(number) for number in range(start, start + 20)]
                assert found.post("/v1/batch", {"batch": batch})[0] == 200
            eventually(lambda: settled(found), within=60.0, what="everything was settled")
            yield found


def settled(turnout: Running) -> bool:
    return all(row["waiting"] == 0 and row["received"] == MESSAGES for row in turnout.status()["rows"])


def hook_of(copy: Copy) -> Journey:
    return next(journey for journey in copy.journeys if journey.destination == "hook")


def test_every_message_has_a_complete_and_true_story(turnout: Running, moody: Moody) -> None:
    with stores(turnout) as found:
        for number in range(MESSAGES):
            name = str(number)
            (copy,) = story_of(found, name).copies
            assert (copy.source, copy.user, copy.event) == ("web", f"u{number % 20}", "E")
            archive = next(journey for journey in copy.journeys if journey.destination == "archive")
            assert [step.fate for step in archive.steps] == ["delivered"], name
            journey = hook_of(copy)
            tried = [step for step in journey.steps if step.fate not in ("behind", "filtered")]
            assert len(tried) == moody.tries[name], f"{name}: {journey}"
            expected = {"fine": "delivered", "late": "delivered", "refused": "dead", "unwanted": "filtered"}
            assert journey.state == expected[kind(number)], f"{name}: {journey}"
            assert (journey.letter is not None) == (kind(number) == "refused")


def test_a_failed_attempt_is_told_with_what_was_said(turnout: Running) -> None:
    with stores(turnout) as found:
        (copy,) = story_of(found, "5").copies
        first, *_, last = hook_of(copy).steps
        assert (first.fate, first.attempt, last.fate, last.attempt) == ("aside", 1, "delivered", 2)
        assert first.reason == "answered 503: busy"
        assert first.exchange is not None
        assert first.exchange.request.startswith("POST ")
        assert "503" in first.exchange.answer
        (dead,) = story_of(found, "3").copies
        assert hook_of(dead).steps[-1].reason == "answered 400: no such field"


def test_the_books_balance(turnout: Running) -> None:
    with stores(turnout) as found:
        report = audit(found, Asked())
    assert report.balances, report
    assert report.notes == ()
    hook = next(account for account in report.accounts if account.destination == "hook")
    assert (hook.accepted, hook.delivered, hook.filtered, hook.dead) == (MESSAGES, 160, 20, 20)


def test_the_commands_say_the_same(turnout: Running) -> None:
    told = json.loads(turnout.command("where", "5", "--json").stdout)
    assert [journey["state"] for journey in told["copies"][0]["journeys"]] == ["delivered"] * 3
    shown = turnout.command("where", "3")
    assert (shown.returncode, "  hook: dead, it will not get it" in shown.stdout) == (0, True)
    assert turnout.command("where", "no-such-id").returncode == 1
    audited = turnout.command("audit")
    assert (audited.returncode, audited.stdout.splitlines()[-1]) == (0, "every message is in exactly one place")


def test_a_letter_that_is_sent_again_keeps_the_books_in_balance(turnout: Running, moody: Moody) -> None:
    with stores(turnout) as found:
        (copy,) = story_of(found, "33").copies
        letter = hook_of(copy).letter
        assert letter is not None
        tries = moody.tries["33"]
        turnout.command("dead", "retry", str(letter.id))
        eventually(lambda: moody.tries["33"] > tries and settled(turnout), what="it was tried again, and refused")
        report = audit(found, Asked())
        assert report.balances, report
        assert report.differences == ()
        (copy,) = story_of(found, "33").copies
        journey = hook_of(copy)
        assert (journey.state, [step.fate for step in journey.steps]) == ("dead", ["dead", "dead"])
        assert journey.letter is not None
        assert journey.letter.id == letter.id


def test_what_is_taken_away_is_named_and_nothing_else(turnout: Running) -> None:
    with stores(turnout) as found:
        (retried,) = story_of(found, "15").copies
        (dead,) = story_of(found, "13").copies
        position = sortable(retried.position)
        with writing(found.engine) as connection:
            told = (PASSAGES.c.destination == "hook") & (PASSAGES.c.first == position) & (PASSAGES.c.last == position)
            connection.execute(delete(PASSAGES).where(told, PASSAGES.c.partition == retried.partition))
            connection.execute(delete(DEAD_LETTERS).where(DEAD_LETTERS.c.message_id == "13"))
        assert broken(audit(found, Asked())) == {("15", "hook", "nothing"), ("13", "hook", "dead")}
        assert dead.position != retried.position


def broken(report: Report) -> set[tuple[str, str, str]]:
    return {
        (one.message_id, one.destination, "dead" if "no dead letter" in one.wrong else "nothing")
        for one in report.broken
    }
