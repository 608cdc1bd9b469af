"""A message that kills the worker that delivers it: it is found, buried, and its neighbours get through."""

import pytest

from destinations.outcome import Deferred
from tests.worker.rig import LATER, Killed, Line, Scripted, all_delivered, append, body, by_name, in_turn, killing
from worker import keys

NAMES = [f"m{number}" for number in range(8)]


def post(line: Line, *names: str) -> None:
    append(line.client, line.terms, *names, bodies=[body(name, user=name) for name in names])


def work_on(line: Line, hook: Scripted, *, most: int = 30) -> int:
    """Workers one after the other, each under a name of its own; how many died until one came to an end."""
    for deaths in range(most):
        courier = line.courier(hook, owner=f"w{deaths}")
        try:
            courier.drain(0, "hook")
        except Killed:
            line.client.delete(keys.lease(0, "hook"))
        else:
            return deaths
    raise AssertionError("they die for ever")


@pytest.mark.parametrize("poison", ["m0", "m5", "m7"])
def test_after_five_deaths_the_message_is_buried_and_its_neighbours_get_through(line: Line, poison: str) -> None:
    hook = Scripted(killing(poison))
    post(line, *NAMES)
    assert work_on(line, hook) == 5
    assert line.counts() == {"received": 8, "delivered:hook": 7, "dead:hook": 1}
    (letter,) = line.letters()
    assert (letter["messageId"], letter["code"]) == (poison, "crashed")
    assert list(dict.fromkeys(hook.names())) == NAMES
    assert line.pending() == 0
    assert not line.client.exists(keys.hand(0, "hook"))


def test_two_poisonous_messages_are_both_found(line: Line) -> None:
    hook = Scripted(killing("m2", "m6"))
    post(line, *NAMES)
    assert work_on(line, hook) == 7, "three while they are suspected together, two each alone"
    assert sorted(letter["messageId"] for letter in line.letters()) == ["m2", "m6"]
    assert line.counts()["delivered:hook"] == 6


def test_a_poisonous_message_in_a_retry_lane_is_found_too(line: Line) -> None:
    hook = Scripted(in_turn(by_name(m2=Deferred("500"), m4=Deferred("500")), killing("m4")))
    post(line, *NAMES)
    line.courier(hook, policy=LATER).drain(0, "hook")
    line.client.zadd(keys.aside(0, "hook"), dict.fromkeys(line.aside(), 1))
    deaths = work_on(line, hook)
    assert deaths == 5
    assert [letter["messageId"] for letter in line.letters()] == ["m4"]
    assert line.counts() == {"received": 8, "delivered:hook": 7, "dead:hook": 1}
    assert line.aside() == {}


def test_workers_that_die_for_other_reasons_bury_nothing(line: Line) -> None:
    """Each commits something before it is killed over what comes next."""
    hook = Scripted(batch_messages=1)
    post(line, *NAMES)
    for number in range(7):
        hook.answer = in_turn(all_delivered, killing(*NAMES))
        line.die_with(line.courier(hook, owner=f"w{number}"))
    hook.answer = all_delivered
    line.courier(hook, owner="last").drain(0, "hook")
    assert line.letters() == []
    assert line.counts()["delivered:hook"] == 8


def test_traffic_of_other_sources_does_not_hide_a_poisonous_message(line: Line) -> None:
    hook = Scripted(killing("x"))
    line.terms = type(line.terms)(
        routes={"app": ("hook",), "web": ("hook",)},
        partitions=1,
        window_ms=line.terms.window_ms,
        most_ids=line.terms.most_ids,
    )
    post(line, "x")
    for number in range(40):
        line.post(f"app{number}", source="app")
        try:
            line.courier(hook, owner=f"w{number}").drain(0, "hook")
        except Killed:
            line.client.delete(keys.lease(0, "hook"))
    assert [letter["messageId"] for letter in line.letters()] == ["x"]
    assert line.counts("app")["delivered:hook"] == 40
