"""What comes from another line is told under the position that it has there."""

from typing import Any

import redis

from destinations.outcome import Deferred, Rejected
from tests.worker.rig import LATER, Line, Scripted, body, by_name
from worker import keys
from worker.courier import Courier
from worker.lines import RETRY
from worker.lines import Line as Name
from worker.story import Part

AGAIN = Name("web", RETRY, "hook").name
NO = Rejected("no", "400")


def put(client: redis.Redis, *names: str, origins: str = "") -> str:
    """An entry of the retry line; `origins` are the positions of its messages in the live one."""
    fields = {"n": str(len(names)), "m": b"\n".join(body(name, user=name) for name in names).decode()}
    come_from = {"l": "web", "o": origins} if origins else {}
    entry = client.xadd(keys.log(0, AGAIN), dict[Any, Any](fields | come_from))
    client.zadd(keys.ready(0, "hook"), {AGAIN: 1})
    assert isinstance(entry, bytes)
    return entry.decode()


def begun(line: Line) -> None:
    line.client.xgroup_create(keys.log(0, AGAIN), "hook", "0", mkstream=True)


def small(line: Line, hook: Scripted) -> Courier:
    """One that has learned that entries of the line are small, and so reads several at once."""
    begun(line)
    put(line.client, "first")
    courier = line.courier(hook)
    courier.drain(0, "hook")
    line.client.delete(keys.story(0))
    return courier


def test_a_letter_and_a_delivery_are_told_of_the_line_that_the_messages_come_from(line: Line) -> None:
    begun(line)
    put(line.client, "a", "b", origins="5-0/2 4-0/7")
    line.drained(line.courier(Scripted(by_name(b=NO))))
    (letter,) = line.letters()
    assert (letter["line"], letter["position"]) == ("web", "4-0/7")
    (passage,) = line.passages()
    assert (passage.line, passage.first) == ("web", "")
    assert {part.fate: part.positions for part in passage.parts} == {"delivered": ("5-0/2",), "dead": ("4-0/7",)}
    assert line.counts() == {"delivered:hook": 1, "dead:hook": 1}


def test_a_batch_with_and_without_origins_claims_nothing_that_lies_between(line: Line) -> None:
    courier = small(line, Scripted())
    first = put(line.client, "a")
    put(line.client, "b", origins="5-0/0")
    put(line.client, "c", origins="9-0/0")
    courier.drain(0, "hook")
    told = {passage.line: passage.parts for passage in line.passages()}
    assert told == {
        AGAIN: (Part("delivered", positions=(f"{first}/0",)),),
        "web": (Part("delivered", positions=("5-0/0", "9-0/0")),),
    }


def test_an_adapter_is_given_rising_positions_whatever_the_messages_had(line: Line) -> None:
    hook = Scripted()
    courier = small(line, hook)
    one, two = put(line.client, "a", origins="9-0/0"), put(line.client, "b", origins="5-0/0")
    courier.drain(0, "hook")
    assert [(each.lane, each.position) for each in hook.calls[-1]] == [
        ("p00~retry", f"{one}/0"),
        ("p00~retry", f"{two}/0"),
    ]


def test_what_steps_aside_keeps_its_origin(line: Line) -> None:
    begun(line)
    put(line.client, "a", "b", origins="5-0/2 4-0/7")
    line.drained(line.courier(Scripted(by_name(b=Deferred("busy"))), policy=LATER))
    (lane,) = line.aside()
    (seen,) = line.puts(lane)
    assert (seen.line, seen.position) == ("web", "4-0/7")
