"""Events that name no group get those of their users on the way to the log."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import msgspec
import pytest

from collector.groups.asking import RESTS_FOR, Asking, Found
from collector.groups.attaching import KNOWN_FOR, SAID_FOR, Attaching
from collector.log_port import Item
from destinations.profiles.membership import Standing
from destinations.profiles.node import Node
from destinations.sql.errors import DatabaseAway

LONG_AGO, BEFORE, AFTER = (f"2024-05-06T{hour}:00:00.000Z" for hour in ("10", "11", "13"))
ANN, VISITOR = Node("user_id", "ann"), Node("anonymous_id", "v1")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Table:
    """Knows who is in which group, as the database does; may be made to hang or to fail."""

    def __init__(self, **groups: dict[str, Standing]) -> None:
        self.known = {Node("anonymous_id" if name == "v1" else "user_id", name): said for name, said in groups.items()}
        self.asked: list[set[Node]] = []
        self.free = threading.Event()
        self.free.set()
        self.trouble: Exception | None = None
        self.closed = threading.Event()

    def of(self, people: Collection[Node]) -> Found:
        assert self.free.wait(10)
        if self.trouble is not None:
            raise self.trouble
        if people:
            self.asked.append(set(people))
        return {person: self.known[person] for person in people if person in self.known}

    def close(self) -> None:
        self.closed.set()


def at(time: str = BEFORE, *, left: bool = False) -> Standing:
    return Standing(f"{time} m", joined=not left)


def message(kind: str = "track", user: str = "ann", *, time: str = AFTER, **more: Any) -> Item:
    said = {"type": kind, "messageId": "m1", "timestamp": time, "receivedAt": time, "originalTimestamp": time}
    whole = {"context": {}, "event": "E", **({"userId": user} if user else {}), **said, **more}
    return Item("web", "m1", user, msgspec.json.encode(whole))


def group(name: str, user: str = "ann", *, time: str = AFTER) -> Item:
    return message("group", user, time=time, groupId=name)


def context(item: Item) -> Any:
    return msgspec.json.decode(item.body)["context"]


def groups(items: list[Item]) -> list[Any]:
    return [context(item).get("groups") for item in items]


async def tried_again(attaching: Attaching, clock: Clock) -> list[Any]:
    """The groups that a message has once the database tells them again."""
    found: list[Any] = [None]
    for _ in range(10_000):
        clock.now += RESTS_FOR
        found = groups(await attaching.attached([message()]))
        if "acme" in (found[0] or ()):
            break
        await asyncio.sleep(0.001)
    return found


def tried(table: Table, test: Callable[[Attaching, Clock], Awaitable[None]], *, patience: float = 5.0) -> None:
    async def run() -> None:
        clock = Clock()
        attaching = Attaching(Asking(lambda: table, patience=patience, clock=clock), clock)
        await attaching.opened()
        try:
            await test(attaching, clock)
        finally:
            attaching.stop()

    asyncio.run(run())


def test_an_event_gets_the_groups_of_its_user_with_a_note() -> None:
    async def test(attaching: Attaching, clock: Clock) -> None:
        (item,) = await attaching.attached([message()])
        whole = msgspec.json.decode(item.body)
        assert whole["context"] == {"groups": ["team", "acme"], "groupId": "team"}
        assert whole["_turnout"] == {"notes": [{"path": "context.groups", "rule": "attached"}]}

    tried(Table(ann={"acme": at(LONG_AGO), "team": at(), "gone": at(left=True)}), test)


@pytest.mark.parametrize("kind", ["track", "page", "screen"])
def test_every_kind_of_event_gets_groups(kind: str) -> None:
    async def test(attaching: Attaching, clock: Clock) -> None:
        assert groups(await attaching.attached([message(kind)])) == [["acme"]]

    tried(Table(ann={"acme": at()}), test)


@pytest.mark.parametrize(
    "item",
    [
        message(context={"groups": ["other"], "groupId": "other"}),
        message(context={"groupId": "other"}),
        message("identify"),
        message("alias", previousId="a"),
        group("other"),
        message("track", "", anonymousId="v9"),
    ],
)
def test_what_names_a_group_or_is_no_event_stays_as_it_is(item: Item) -> None:
    async def test(attaching: Attaching, clock: Clock) -> None:
        assert await attaching.attached([item]) == [item]

    tried(Table(ann={"acme": at()}), test)


def test_a_visitor_without_a_name_has_groups_too() -> None:
    async def test(attaching: Attaching, clock: Clock) -> None:
        assert groups(await attaching.attached([message("track", "", anonymousId="v1")])) == [["acme"]]

    tried(Table(v1={"acme": at()}), test)


def test_a_group_that_was_just_named_counts_for_what_comes_after_it() -> None:
    async def test(attaching: Attaching, clock: Clock) -> None:
        before, _, after = await attaching.attached([message(), group("new"), message()])
        assert groups([before, after]) == [["acme"], ["new", "acme"]]
        assert groups(await attaching.attached([message(), message(user="ben")])) == [["new", "acme"], None]
        clock.now += SAID_FOR
        assert groups(await attaching.attached([message()])) == [["acme"]]

    tried(Table(ann={"acme": at()}), test)


def test_what_was_said_of_the_past_does_not_go_before_what_was_said_later() -> None:
    async def test(attaching: Attaching, clock: Clock) -> None:
        await attaching.attached([group("acme", time=LONG_AGO)])
        assert groups(await attaching.attached([message()])) == [None]

    tried(Table(ann={"acme": at(left=True)}), test)


def test_one_question_serves_a_whole_request_and_holds_for_a_while() -> None:
    table = Table(ann={"acme": at()})

    async def test(attaching: Attaching, clock: Clock) -> None:
        for _ in range(2):
            await attaching.attached([message(), message(user="ben"), message()])
        assert table.asked == [{ANN, Node("user_id", "ben")}]
        clock.now += KNOWN_FOR
        await attaching.attached([message()])
        assert table.asked[1:] == [{ANN}]

    tried(table, test)


def test_requests_that_come_while_the_database_is_busy_share_the_next_question() -> None:
    table = Table(ann={"acme": at()})

    async def test(attaching: Attaching, clock: Clock) -> None:
        table.free.clear()
        users = [f"u{number}" for number in range(20)]
        waiting = [asyncio.ensure_future(attaching.attached([message(user=user)])) for user in users]
        await asyncio.sleep(0)
        table.free.set()
        await asyncio.gather(*waiting)
        assert [len(asked) for asked in table.asked] == [1, 19]

    tried(table, test)


def test_messages_go_on_without_groups_while_the_database_hangs(caplog: pytest.LogCaptureFixture) -> None:
    table = Table(ann={"acme": at()})

    async def test(attaching: Attaching, clock: Clock) -> None:
        table.free.clear()
        assert groups(await attaching.attached([message(), group("new"), message()])) == [None, None, ["new"]]
        assert groups(await attaching.attached([message(user="ben")])) == [None]  # nobody waits any more
        table.free.set()
        assert await tried_again(attaching, clock) == [["new", "acme"]]

    with caplog.at_level(logging.WARNING):
        tried(table, test, patience=0.02)
    first, last = [record.getMessage() for record in caplog.records]
    words = "messages go on without the groups of their users: their database has not answered within 0.02 s"
    assert first == words
    assert last.startswith("messages have the groups of their users again; ")


def test_a_database_that_fails_is_left_alone_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    table = Table(ann={"acme": at()})

    async def test(attaching: Attaching, clock: Clock) -> None:
        table.trouble = DatabaseAway("postgresql://db/x", "gone")
        assert groups(await attaching.attached([message()])) == [None]
        table.trouble = None
        assert groups(await attaching.attached([message()])) == [None]
        assert await tried_again(attaching, clock) == [["acme"]]

    with caplog.at_level(logging.WARNING):
        tried(table, test)
    first, last = [record.getMessage() for record in caplog.records]
    assert first.endswith("the database at postgresql://db/x cannot be used: gone")
    assert last.startswith("messages have the groups of their users again; ")


def test_a_bug_is_told_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    table = Table()
    table.trouble = KeyError("secret")

    async def test(attaching: Attaching, clock: Clock) -> None:
        assert groups(await attaching.attached([message()])) == [None]

    with caplog.at_level(logging.WARNING):
        tried(table, test)
    assert "a bug: KeyError at " in caplog.text
    assert "secret" not in caplog.text


def test_the_database_is_closed_at_the_end() -> None:
    table = Table()

    async def test(attaching: Attaching, clock: Clock) -> None:
        return None

    tried(table, test)
    assert table.closed.wait(5)


def test_no_more_is_attached_than_a_message_can_bear() -> None:
    async def test(attaching: Attaching, clock: Clock) -> None:
        few, many, wide = await attaching.attached([message(user=user) for user in ("few", "many", "wide")])
        assert len(context(few)["groups"]) == 3
        assert len(context(many)["groups"]) == 100
        assert len("".join(context(wide)["groups"])) == 4_000

    few = {f"g{number}": at() for number in range(3)}
    many = {f"g{number}": at() for number in range(150)}
    wide = {f"{number:02d}" + "x" * 998: at() for number in range(20)}
    tried(Table(few=few, many=many, wide=wide), test)
