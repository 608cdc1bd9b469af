"""What travels a second time, dead letters and what an outage held up, has one place at every moment."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import msgspec
import pytest
import redis
from sqlalchemy import Engine

from destinations.archive.index import frames
from destinations.outcome import Deferred, Rejected
from tests.waiting import eventually
from tests.worker.audit.rig import account
from tests.worker.catchup.bench import LAGGARD, Bench
from tests.worker.rig import Answer, all_delivered, body, by_name, server_ms
from worker import keys
from worker.audit import auditing
from worker.audit.auditing import Asked, audit
from worker.audit.report import Report
from worker.catchup import filling
from worker.catchup.detaching import detach
from worker.catchup.filling import catch_up, gaps
from worker.letters import desk
from worker.letters.desk import Letter, Wanted
from worker.letters.resend import resend
from worker.stories.stores import Stores, stores_of
from worker.stories.story import Journey
from worker.stories.where import story_of

NO = Rejected("answered 400: no", "400")


class Books:
    """A bench with its stores, and what audit and story say of it."""

    def __init__(self, bench: Bench, engine: Engine) -> None:
        self.bench = bench
        self.stores: Stores = stores_of(bench.client, engine, bench.config)

    def audited(self) -> Report:
        """Once the messages are not of this very millisecond."""
        now = server_ms()
        eventually(lambda: server_ms() > now + 1)
        return audit(self.stores, Asked())

    def places(self) -> dict[str, int]:
        """Where all messages are, which balances."""
        report = self.audited()
        assert report.balances, report
        return account(report, "hook")

    def journey(self, name: str) -> Journey:
        (copy,) = story_of(self.stores, name).copies
        return next(one for one in copy.journeys if one.destination == "hook")

    def letters(self) -> list[Letter]:
        self.stores.move()
        return desk.newest(self.stores.engine, Wanted(), 100)

    def retry(self) -> None:
        numbers = [letter.id for letter in reversed(self.letters()) if letter.state == "dead"]
        resend(self.bench.client, self.stores.engine, numbers, partitions=self.bench.config.log.partitions)

    def deliver(self, answer: Answer) -> None:
        self.bench.hook.answer = answer
        self.bench.deliver()


Opening = Callable[[int], Books]


@pytest.fixture
def opening(
    log_client: redis.Redis, database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Opening]:
    """Books of so many partitions."""
    monkeypatch.setattr(auditing, "OUTRUN_MS", 0)  # the clocks of a test are one
    made: list[Bench] = []

    def opened(partitions: int) -> Books:
        made.append(Bench(log_client, tmp_path / "archive", partitions=partitions))
        return Books(made[-1], database)

    yield opened
    for bench in made:
        bench.close()


@pytest.fixture
def books(opening: Opening) -> Books:
    return opening(1)


def drained(bench: Bench) -> bool:
    """Whether nothing is aside any more."""
    bench.deliver()
    return not bench.client.exists(keys.apart(0, "hook"))


def test_a_letter_that_is_sent_again_has_one_place_until_it_arrives(books: Books) -> None:
    books.bench.post("a", "b", "c")
    books.deliver(by_name(b=NO))
    books.bench.archive_and_trim()
    assert books.places() == {"accepted": 3, "delivered": 2, "dead": 1}

    books.retry()
    assert books.places() == {"accepted": 3, "delivered": 2, "waiting": 1}
    assert books.journey("b").state == "waiting"
    assert books.journey("b").waits_for == "its turn in web~retry~hook"

    books.deliver(by_name(b=NO))
    assert books.places() == {"accepted": 3, "delivered": 2, "dead": 1}
    (letter,) = books.letters()
    assert (letter.state, letter.line, letter.retries, letter.attempts) == ("dead", "web", 1, 2)

    books.retry()
    books.deliver(all_delivered)
    assert books.places() == {"accepted": 3, "delivered": 3}
    found = books.journey("b")
    assert (found.state, [step.fate for step in found.steps]) == ("delivered", ["dead", "dead", "delivered"])


def test_a_letter_that_fails_again_waits_aside_under_its_first_position(books: Books) -> None:
    books.bench.post("a", "b")
    books.deliver(by_name(b=NO))
    books.retry()
    books.bench.post("c", user="v")
    books.deliver(by_name(b=Deferred("busy", after=600.0)))
    assert books.places() == {"accepted": 3, "delivered": 2, "waiting": 1}
    found = books.journey("b")
    assert found.waits_for.startswith("its own next attempt, due at ")
    assert [step.fate for step in found.steps] == ["dead", "aside"]


def test_letters_of_one_entry_that_end_differently_keep_their_places(books: Books) -> None:
    names = [f"m{number}" for number in range(6)]
    books.bench.post(*names)
    books.deliver(lambda batch: [NO] * len(batch))
    books.bench.archive_and_trim()
    books.retry()
    books.deliver(by_name(m1=NO, m4=Deferred("busy", after=600.0)))
    assert books.places() == {"accepted": 6, "delivered": 4, "dead": 1, "waiting": 1}
    assert [books.journey(name).state for name in ("m0", "m1", "m4")] == ["delivered", "dead", "waiting"]


def test_a_letter_that_is_sent_again_and_lost_is_named(books: Books) -> None:
    books.bench.post("a", "b")
    books.deliver(by_name(b=NO))
    books.bench.archive_and_trim()
    books.retry()
    books.bench.client.delete(keys.log(0, "web~retry~hook"))
    now = server_ms()
    eventually(lambda: server_ms() > now + 1)
    (broken,) = books.audited().broken
    assert (broken.message_id, broken.destination) == ("b", "hook")
    assert broken.wrong.startswith("its dead letter was sent again, but nothing tells what became of it")


def test_a_letter_whose_user_was_changed_starts_anew_where_that_user_is(opening: Opening) -> None:
    books = opening(2)
    here, there = (next(f"u{n}" for n in range(99) if keys.partition_of("web", f"u{n}", 2) == p) for p in (0, 1))
    books.bench.post("a", "b", user=here)
    books.deliver(by_name(b=NO))
    books.bench.archive_and_trim()
    (letter,) = books.letters()
    changed = msgspec.json.encode({**msgspec.json.decode(letter.message), "userId": there})
    assert desk.edit(books.stores.engine, letter.id, changed, now_ms=server_ms())
    for answer in (by_name(b=NO), all_delivered):
        books.retry()
        assert books.audited().balances
        books.deliver(answer)
        report = books.audited()
        assert report.balances, report
        assert len(books.letters()) == 1
    states = {copy.line: copy.journeys[-1].state for copy in story_of(books.stores, "b").copies}
    assert states == {"web": "resent", "web~retry~hook": "delivered"}


def test_what_a_detached_destination_missed_has_one_place_until_it_arrives(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "MOST_WAITING", 3)
    bench = books.bench
    bench.post("a")
    books.deliver(all_delivered)
    bench.post("b", "c")
    books.deliver(by_name(b=Deferred("away", scope="destination")))
    assert detach(bench.client, bench.log, LAGGARD, "clerk")
    bench.client.delete(keys.out("hook"))
    for name in "defgh":
        bench.post(name)
        bench.archive_and_trim()
    assert bench.in_log() == 0
    assert books.places() == {"accepted": 8, "delivered": 2, "waiting": 6}
    assert books.journey("d").waits_for == "its turn: hook is detached, and catches up from the archive"

    assert catch_up(bench.client, bench.log, bench.config) == 3
    assert books.places() == {"accepted": 8, "delivered": 2, "waiting": 6}
    assert books.journey("b").waits_for == "its turn in web~catchup~hook"
    bench.post("i")
    books.deliver(by_name(d=NO, e=Deferred("busy", after=0.0)))
    assert books.places() == {"accepted": 9, "delivered": 3, "dead": 1, "waiting": 5}
    books.retry()
    assert books.places() == {"accepted": 9, "delivered": 3, "waiting": 6}

    bench.hook.answer = all_delivered
    bench.archive_and_trim()
    bench.catch_up()
    eventually(lambda: drained(bench))
    assert not list(gaps(bench.client, bench.config))
    assert books.places() == {"accepted": 9, "delivered": 9}
    assert [step.fate for step in books.journey("d").steps] == ["dead", "delivered"]
    bench.post("j")
    assert books.places() == {"accepted": 10, "delivered": 9, "waiting": 1}


def test_a_message_that_the_catching_up_left_out_is_named(books: Books) -> None:
    bench = books.bench
    bench.post("a")
    detach(bench.client, bench.log, LAGGARD, "clerk")
    bench.post("b")
    bench.archive_and_trim()
    catch_up(bench.client, bench.log, bench.config)
    line = keys.log(0, "web~catchup~hook")
    bench.client.xtrim(line, maxlen=0, approximate=False)
    assert [one.message_id for one in books.audited().broken] == ["a", "b"]


def test_letters_of_the_archive_are_all_archived_in_whatever_order_they_are_sent_again(books: Books) -> None:
    """An archive takes what is between two of its messages for something that it has."""
    bench = books.bench
    names = ["m1", "m2", "m3"]
    for name in names:
        bench.post(name)
    root = Path(str(bench.config.destinations["archive"].settings["dir"]))
    rows = cast("list[tuple[bytes, object]]", bench.client.xrange(keys.log(0, "web")))
    entries = [f"{entry_id.decode()}/0" for entry_id, _ in rows]
    for number, name in enumerate(names):
        letter = {"messageId": name, "source": "web", "destination": "archive", "position": entries[number]}
        record = msgspec.json.encode({**letter, "line": "web", "message": msgspec.Raw(body(name))})
        bench.client.xadd(keys.dead(0, "archive"), {"letter": record})
    bench.client.xgroup_setid(keys.log(0, "web"), "archive", "$")
    by_id = {letter.message_id: letter.id for letter in books.letters()}
    for some in (["m1", "m3"], ["m2"]):
        resend(bench.client, books.stores.engine, [by_id[name] for name in some], partitions=1)
        bench.archive_and_trim()
    (index,) = root.glob("web/*/*/p00~retry.index")
    assert sum(frame.count for frame in frames(index.read_bytes())[0]) == 3
