"""Of what operators say about who is whom, the last word counts, and can be taken back."""

from itertools import permutations

from sqlalchemy import Engine

from destinations.profiles.claims import Claims, Link, Why
from destinations.profiles.node import Node
from destinations.profiles.reading import number_of
from destinations.profiles.store import apply
from destinations.sql.engine import reading


def said(node: Node, user: str, why: Why, second: int) -> Claims:
    target = (Node("user_id", user),) if user else ()
    stamp = f"2024-01-01T00:00:{second:02d}.000Z m-{second}"
    return Claims(stamp=stamp, source="", nodes=(node, *target), links=(Link(node, user, why),))


def known(user: str) -> Claims:
    node = Node("user_id", user)
    return Claims(stamp="2024-01-01T00:00:00.000Z m-0", source="web", nodes=(node,), about=node, known=True)


def same(database: Engine, one: Node, other: str) -> bool:
    with reading(database) as connection:
        return number_of(connection, *one) == number_of(connection, "user_id", other)


ANN, OLD = Node("user_id", "ann"), Node("user_id", "old")
PEOPLE = [known(name) for name in ("ann", "old", "new")]


def test_the_last_word_about_a_known_user_holds(profiles: Engine) -> None:
    apply(profiles, [*PEOPLE, said(OLD, "ann", "manual", 1), said(OLD, "new", "manual", 2)])
    assert same(profiles, OLD, "new")
    assert not same(profiles, OLD, "ann")


def test_what_was_joined_by_hand_can_be_taken_apart_and_joined_again_in_any_order(profiles: Engine) -> None:
    words = [said(OLD, "ann", "manual", 1), said(OLD, "", "manual", 2), said(OLD, "ann", "manual", 3)]
    apply(profiles, PEOPLE)
    apply(profiles, words[:2])
    assert not same(profiles, OLD, "ann")
    for order in permutations(words):
        apply(profiles, order)
        assert same(profiles, OLD, "ann")


def test_a_visitor_whose_join_is_taken_back_is_again_who_its_messages_said(profiles: Engine) -> None:
    visitor = Node("anonymous_id", "a1")
    apply(profiles, [*PEOPLE, said(visitor, "ann", "identify", 1), said(visitor, "new", "manual", 2)])
    assert same(profiles, visitor, "new")
    apply(profiles, [said(visitor, "", "manual", 3)])
    assert same(profiles, visitor, "ann")
