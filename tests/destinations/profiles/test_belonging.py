"""Which groups users are in, asked for many at once."""

from collections.abc import Iterator

import pytest

from destinations.profiles.belonging import MOST, Groups
from destinations.profiles.claims import Claims, Link, Membership
from destinations.profiles.membership import Standing, Standings, joined, latest
from destinations.profiles.node import Node, stamp_of
from destinations.profiles.store import apply, open_profiles
from destinations.sql.engine import Database
from worker.config import Config
from worker.database.engine import url_of

ANN, BEN, VISITOR = Node("user_id", "ann"), Node("user_id", "ben"), Node("anonymous_id", "v1")


def said(minute: int, *memberships: Membership, links: tuple[Link, ...] = ()) -> Claims:
    return Claims(
        stamp=stamp_of(f"2024-05-06T12:{minute:02d}:00.000Z", "m"), source="web", memberships=memberships, links=links
    )


@pytest.fixture
def profiles(database_config: Config) -> Iterator[Database]:
    database = open_profiles(url_of(database_config))
    yield database
    database.dispose()


@pytest.fixture
def groups(database_config: Config, profiles: Database) -> Iterator[Groups]:
    found = Groups(url_of(database_config))
    yield found
    found.close()


def names(groups: Groups, *people: Node) -> list[list[str]]:
    found = groups.of(people)
    return [joined(found.get(person, {})) for person in people]


def test_the_group_that_was_named_last_comes_first(profiles: Database, groups: Groups) -> None:
    apply(profiles, [said(1, Membership(ANN, "acme", True)), said(2, Membership(ANN, "team", True))])
    apply(profiles, [said(3, Membership(BEN, "other", True))])
    assert names(groups, ANN, BEN, VISITOR) == [["team", "acme"], ["other"], []]


def test_a_group_that_was_left_is_none_of_the_user_s(profiles: Database, groups: Groups) -> None:
    apply(profiles, [said(2, Membership(ANN, "acme", False)), said(1, Membership(ANN, "acme", True))])
    assert names(groups, ANN) == [[]]
    assert groups.of([ANN])[ANN]["acme"].joined is False


def test_a_visitor_has_the_groups_of_the_user_and_the_user_those_of_the_visitor(
    profiles: Database, groups: Groups
) -> None:
    apply(profiles, [said(1, Membership(ANN, "acme", True), Membership(VISITOR, "team", True))])
    apply(profiles, [said(2, Membership(VISITOR, "acme", False), links=(Link(VISITOR, "ann", "identify"),))])
    assert names(groups, ANN, VISITOR) == [["team"], ["team"]]


def test_of_very_many_groups_the_last_named_are_told(profiles: Database, groups: Groups) -> None:
    apply(profiles, [said(number % 60, Membership(ANN, f"g{number}", True)) for number in range(MOST + 60)])
    found = names(groups, ANN)[0]
    assert len(found) == MOST
    assert {f"g{number}" for number in range(59, MOST + 60, 60)} <= set(found)


def test_of_two_words_on_a_group_the_later_counts() -> None:
    before: Standings = {"acme": stand(1, True), "team": stand(1, True)}
    after: Standings = {"acme": stand(2, False), "new": stand(3, True)}
    assert joined(latest(before, after)) == joined(latest(after, before)) == ["new", "team"]
    assert joined(latest(before, {})) == ["team", "acme"]


def stand(minute: int, is_joined: bool) -> Standing:
    return Standing(said(minute).stamp, is_joined)
