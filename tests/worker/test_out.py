"""A destination that fails as a whole: it is left alone, tried now and then with little, and gets everything later."""

from collections.abc import Sequence
from typing import ClassVar

import pytest

from destinations.adapter import Order
from destinations.outcome import Deferred, Delivered, Outcome
from schemas.envelope import Envelope
from tests.worker.rig import LATER, Line, Scripted, all_delivered, always, append, body, by_name, in_turn
from worker import keys

BUSY = Deferred("answered 500")
CUT = Deferred("no connection", scope="destination")
BARRED = Deferred("answered 401", scope="settings")


class Ordered(Scripted):
    order: Order = "line"
    storage: ClassVar[bool] = True


def post(line: Line, *names: str) -> None:
    """One entry each; every message has a user of its own."""
    for name in names:
        append(line.client, line.terms, name, bodies=[body(name, user=name)])


def due(line: Line) -> None:
    """As if the pause were over."""
    line.client.hset(keys.out("hook"), "until", 1)


def reason(line: Line) -> object:
    return line.client.hget(keys.out("hook"), "reason")


def test_four_failures_in_a_row_step_aside_and_with_the_fifth_the_destination_is_out(line: Line) -> None:
    courier = line.courier(Scripted(always(BUSY)), policy=LATER)
    ended = []
    for number in range(5):
        post(line, f"m{number}")
        ended.append(courier.drain(0, "hook"))
    assert ended == ["idle"] * 4 + ["paused"]
    assert line.names_aside() == ["m0", "m1", "m2", "m3"]
    assert (line.pending(), reason(line)) == (1, b"answered 500")


def test_a_success_in_between_starts_the_row_again(line: Line) -> None:
    courier = line.courier(
        Scripted(lambda batch: [Delivered() if one.head.message_id == "ok" else BUSY for one in batch]), policy=LATER
    )
    for name in ("a", "b", "c", "d", "ok", "e", "f", "g", "h"):
        post(line, name)
        assert courier.drain(0, "hook") == "idle"
    assert len(line.names_aside()) == 8


def test_five_at_once_are_enough_and_nothing_of_them_is_acknowledged(line: Line) -> None:
    courier = line.courier(Scripted(always(BUSY)), policy=LATER)
    post(line, *"abcdef")
    assert courier.drain(0, "hook") == "paused"
    assert (line.pending(), line.names_aside()) == (6, [])


def test_a_destination_that_is_out_is_left_alone_by_all(line: Line) -> None:
    hook = Scripted(always(CUT))
    post(line, "a")
    line.courier(hook, policy=LATER).drain(0, "hook")
    assert line.courier(hook, owner="w2").drain(0, "hook") == "paused"
    assert line.courier(hook, owner="w3").drain(1, "hook") == "paused"
    assert len(hook.calls) == 1


def test_a_bad_message_alone_does_not_keep_a_destination_out(line: Line) -> None:
    """Five of the pending messages are tried and five new ones: what fails beside a success steps aside."""
    hook = Scripted(lambda batch: [BUSY if one.head.message_id[0] == "x" else Delivered() for one in batch])
    courier = line.courier(hook, policy=LATER)
    post(line, *(f"x{number}" for number in range(8)))
    assert courier.drain(0, "hook") == "paused"
    post(line, "a", "b", "c")
    due(line)
    assert courier.drain(0, "hook") == "idle"
    assert line.counts()["delivered:hook"] == 3
    assert len(hook.calls[1]) == 10
    assert line.names_aside() == [f"x{number}" for number in range(8)]


def test_a_message_that_makes_the_destination_hang_is_isolated_by_one_probe(line: Line) -> None:
    hook = Scripted(lambda batch: [CUT if one.head.message_id == "x" else Delivered() for one in batch])
    courier = line.courier(hook, policy=LATER)
    post(line, "x", "a")
    assert courier.drain(0, "hook") == "paused"
    post(line, "b")
    due(line)
    assert courier.drain(0, "hook") == "idle"
    assert (line.names_aside(), line.counts()["delivered:hook"]) == (["x"], 2)
    assert reason(line) is None


def test_a_probe_that_fails_makes_the_wait_longer(line: Line) -> None:
    courier = line.courier(Scripted(always(CUT)), policy=LATER)
    post(line, *"abcdefghijkl")
    courier.drain(0, "hook")
    attempts = []
    for _ in range(3):
        attempts.append(line.client.hget(keys.out("hook"), "attempts"))
        due(line)
        assert courier.drain(0, "hook") == "paused"
    assert attempts == [b"1", b"2", b"3"]
    assert line.pending() == 12


def test_nobody_overtakes_anybody_while_the_destination_is_probed(line: Line) -> None:
    """All messages are of one user: the probe takes the first ones."""
    hook = Scripted(in_turn(always(CUT), all_delivered))
    names = [f"m{number:02d}" for number in range(30)]
    line.post(*names[:20])
    courier = line.courier(hook, policy=LATER)
    courier.drain(0, "hook")
    line.post(*names[20:])
    due(line)
    assert courier.drain(0, "hook") == "idle"
    assert hook.names() == [*names[:20], *names]


def test_with_nothing_to_try_the_right_to_probe_is_given_back(line: Line) -> None:
    post(line, "a")
    courier = line.courier(Scripted(in_turn(always(CUT), all_delivered)), policy=LATER)
    courier.drain(0, "hook")
    due(line)
    assert courier.drain(1, "hook") == "idle"
    assert courier.drain(0, "hook") == "idle"
    assert line.counts()["delivered:hook"] == 1


def test_refused_credentials_pause_the_destination_and_bury_nothing(line: Line) -> None:
    courier = line.courier(Scripted(always(BARRED)), policy=LATER)
    post(line, *"abc")
    assert courier.drain(0, "hook") == "paused"
    assert line.client.hget(keys.out("hook"), "scope") == b"settings"
    assert (line.pending(), line.letters()) == (3, [])


def test_due_lanes_show_as_well_that_a_destination_is_back(line: Line) -> None:
    hook = Scripted(in_turn(by_name(b=BUSY), always(CUT), all_delivered))
    post(line, "a", "b")
    courier = line.courier(hook, policy=LATER)
    courier.drain(0, "hook")
    post(line, "c")
    assert courier.drain(0, "hook") == "paused"
    line.client.zadd(keys.aside(0, "hook"), dict.fromkeys(line.aside(), 1))
    assert courier.drain(0, "hook") == "paused", "the lanes wait too"
    due(line)
    assert courier.drain(0, "hook") == "idle"
    assert line.counts() == {"received": 3, "delivered:hook": 3}


def test_where_nothing_may_overtake_anything_one_failure_holds_everything_up(line: Line) -> None:
    def third_fails(batch: Sequence[Envelope]) -> Sequence[Outcome]:
        return [BUSY if one.head.message_id == "c" else Delivered() for one in batch]

    store = Ordered(in_turn(*[third_fails] * 3, all_delivered), batch_messages=1)
    post(line, *"abcde")
    courier = line.courier(store, policy=LATER)
    assert courier.drain(0, "hook") == "paused"
    assert line.names_aside() == []
    due(line)
    assert courier.drain(0, "hook") == "idle"
    assert list(dict.fromkeys(store.names())) == list("abcde")
    assert line.counts() == {"received": 5, "delivered:hook": 5}


def test_when_too_many_die_the_drain_ends(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[tuple[int, int]] = []

    def deaths(destination: str, dead: int, others: int) -> bool:
        counted.append((dead, others))
        return True

    monkeypatch.setattr(line.breaker, "deaths", deaths)
    post(line, *"ab")
    hook = Scripted(batch_messages=1)
    assert line.courier(hook).drain(0, "hook") == "paused"
    assert (counted, hook.names()) == ([(0, 1)], ["a"])
