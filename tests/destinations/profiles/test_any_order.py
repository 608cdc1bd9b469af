"""What is kept is a function of the set of messages: any order, repetition and batches end in the same state."""

import random
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from destinations.profiles.claims import Claims, Link, claims_of
from destinations.profiles.node import Node, stamp_of
from destinations.profiles.store import apply
from schemas.message import Alias, Group, Identify, Message, Track
from tests.destinations.profiles.dump import clear, everything
from tests.destinations.profiles.model import expected

USERS, VISITORS, GROUPS = st.sampled_from("uvw"), st.sampled_from(["a", "b", "u"]), st.sampled_from("gh")
TIMES = st.sampled_from([f"2024-02-29T2{hour}:00:00.000Z" for hour in range(3)])
IDS = st.sampled_from(["m1", "m2", "M3", "é4"])
SOURCES = st.sampled_from(["web", "app"])
TRAITS = st.dictionaries(
    st.sampled_from(["n", "o", "email"]), st.sampled_from([None, 1, 2, "x", "y", True]), max_size=2
)
INCREMENTS = st.lists(
    st.fixed_dictionaries({"op": st.just("increment"), "trait": st.sampled_from("no"), "by": st.integers(-2, 5)}),
    max_size=2,
)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    time = draw(TIMES)
    head: dict[str, Any] = {"message_id": draw(IDS), "timestamp": time, "received_at": time, "original_timestamp": time}
    match draw(st.sampled_from(["identify", "identify", "alias", "group", "track"])):
        case "identify":
            who = draw(st.sampled_from([("user_id",), ("anonymous_id",), ("user_id", "anonymous_id")]))
            ids: dict[str, Any] = {name: draw(USERS if name == "user_id" else VISITORS) for name in who}
            return Identify(**head, **ids, traits=draw(TRAITS), context={"operations": draw(INCREMENTS)})
        case "alias":
            return Alias(**head, user_id=draw(USERS), previous_id=draw(USERS | VISITORS))
        case "group":
            return Group(**head, user_id=draw(USERS | st.none()), group_id=draw(GROUPS), traits=draw(TRAITS))
        case _:
            return Track(**head, user_id=draw(USERS | st.none()), anonymous_id=draw(VISITORS), event="E")


@st.composite
def by_hand(draw: st.DrawFn) -> Claims:
    """An operator joins two, or takes that back."""
    node = draw(st.builds(Node, st.just("user_id"), USERS) | st.builds(Node, st.just("anonymous_id"), VISITORS))
    link = Link(node, draw(USERS | st.just("")), "manual")
    return Claims(stamp=stamp_of(draw(TIMES), draw(IDS)), source="operator", nodes=(node,), links=(link,))


@st.composite
def claims(draw: st.DrawFn) -> Claims:
    return claims_of(draw(messages()), draw(SOURCES), ("email",))


WORLDS = st.lists(claims() | claims() | claims() | by_hand(), min_size=1, max_size=9)


def told(database: Engine, world: Sequence[Claims], chance: random.Random) -> None:
    """All of it, some of it again, in any order and in batches of any size."""
    again = [*world, *chance.choices(world, k=chance.randrange(3))]
    chance.shuffle(again)
    while again:
        size = chance.randint(1, len(again))
        apply(database, again[:size])
        del again[:size]


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(world=WORLDS, chance=st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_end_in_the_same_state(
    profiles: Engine, world: list[Claims], chance: random.Random
) -> None:
    clear(profiles)
    told(profiles, world, chance)
    assert everything(profiles) == expected(world)
