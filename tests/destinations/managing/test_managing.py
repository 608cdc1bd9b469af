"""What operators change by hand, counts."""

import pytest
from sqlalchemy import Engine

from destinations.profiles import managing
from destinations.profiles.errors import AlreadyThere, NotThere
from destinations.profiles.listing import member_count
from destinations.profiles.managing import ruling
from destinations.profiles.node import Node
from destinations.profiles.reading import number_of
from destinations.sql.engine import reading
from tests.destinations.managing.people import AHEAD, EARLIER, NOW, found, grouped, groups, identified, say, traits

ANN, BOB = Node("user_id", "ann"), Node("user_id", "bob")
ACME = Node("group_id", "acme")


def test_a_group_made_by_hand_is_there_with_its_traits_spelled_as_the_collector_would(profiles: Engine) -> None:
    managing.create_group(profiles, "acme", {"name": "Acme", "created_at": "2024-02-29"}, now_ms=NOW)
    assert traits(profiles, "acme", "group_id") == {"name": "Acme", "createdAt": "2024-02-29"}
    with pytest.raises(AlreadyThere, match="there is a group 'acme' already"):
        managing.create_group(profiles, "acme", {}, now_ms=NOW)


def test_an_edit_wins_over_a_message_of_a_clock_that_is_ahead(profiles: Engine) -> None:
    say(profiles, identified("ann", {"plan": "free", "seats": 1}, AHEAD))
    managing.edit(profiles, ANN, {"plan": "pro"}, now_ms=NOW)
    assert traits(profiles, "ann") == {"plan": "pro", "seats": 1}
    profile = found(profiles, "ann")
    assert profile is not None
    assert (profile.traits["plan"].stamp[:24], profile.traits["plan"].source) == (
        "2024-06-01T00:00:00.001Z",
        "operator",
    )


def test_what_is_said_after_an_edit_counts_again(profiles: Engine) -> None:
    say(profiles, identified("ann", {"plan": "free"}))
    managing.edit(profiles, ANN, {"plan": "pro"}, now_ms=NOW)
    say(profiles, identified("ann", {"plan": "late"}, "2024-02-15T00:00:00.000Z m-3"))
    assert traits(profiles, "ann")["plan"] == "pro"
    say(profiles, identified("ann", {"plan": "gold"}, "2024-03-01T00:00:01.000Z m-4"))
    assert traits(profiles, "ann")["plan"] == "gold"


def test_an_edit_under_the_id_of_a_visitor_is_one_of_the_user(profiles: Engine) -> None:
    say(profiles, identified("ann", {"plan": "free"}, visitor="a1"))
    managing.edit(profiles, Node("anonymous_id", "a1"), {"plan": None}, now_ms=NOW)
    assert traits(profiles, "ann") == {"plan": None}


def test_nobody_is_made_by_a_slip_of_the_finger(profiles: Engine) -> None:
    say(profiles, identified("ann", {}), grouped("acme", {}))
    with pytest.raises(NotThere, match="there is no user 'amn'"):
        managing.edit(profiles, Node("user_id", "amn"), {"plan": "pro"}, now_ms=NOW)
    with pytest.raises(NotThere, match="there is no user 'bob'"):
        managing.add_members(profiles, "acme", [ANN, BOB], now_ms=NOW)
    assert groups(profiles, "ann") == []


def test_members_are_added_and_removed_whatever_clocks_said(profiles: Engine) -> None:
    say(profiles, identified("ann", {}, visitor="a1"), identified("bob", {}), grouped("acme", {}, "ann", AHEAD))
    managing.add_members(profiles, "acme", [ANN, BOB], now_ms=NOW)
    assert (groups(profiles, "ann"), groups(profiles, "bob")) == (["acme"], ["acme"])
    managing.remove_members(profiles, "acme", [Node("anonymous_id", "a1")], now_ms=NOW)
    assert (groups(profiles, "ann"), groups(profiles, "bob")) == ([], ["acme"])
    with reading(profiles) as connection:
        assert member_count(connection, number_of(connection, *ACME) or 0) == 1


def test_a_deleted_group_is_gone_with_its_members_until_it_is_spoken_of_again(profiles: Engine) -> None:
    say(profiles, grouped("acme", {"name": "Acme", "plan": "pro"}, "ann", AHEAD))
    assert managing.delete_group(profiles, "acme", now_ms=NOW) == 1
    assert found(profiles, "acme", "group_id") is None
    assert groups(profiles, "ann") == []
    say(profiles, grouped("acme", {"name": "Acme", "plan": "pro"}, "ann", AHEAD))
    assert found(profiles, "acme", "group_id") is None, "a replay of old messages brings it back"
    managing.create_group(profiles, "acme", {"name": "New"}, now_ms=NOW)
    assert traits(profiles, "acme", "group_id") == {"name": "New"}
    assert groups(profiles, "ann") == []


def test_two_known_users_are_joined_by_hand_and_taken_apart_again(profiles: Engine) -> None:
    say(profiles, identified("ann", {"plan": "free"}, visitor="a1"), identified("bob", {"seats": 3}, visitor="b1"))
    assert managing.join(profiles, BOB, "ann", now_ms=NOW)
    assert traits(profiles, "bob") == {"plan": "free", "seats": 3}
    assert not managing.join(profiles, Node("anonymous_id", "b1"), "ann", now_ms=NOW)
    assert managing.split(profiles, ANN, now_ms=NOW)
    assert (traits(profiles, "ann"), traits(profiles, "bob")) == ({"plan": "free"}, {"seats": 3})
    assert found(profiles, "b1", "anonymous_id") == found(profiles, "bob")
    assert not managing.split(profiles, BOB, now_ms=NOW)
    assert managing.join(profiles, BOB, "ann", now_ms=NOW)
    assert found(profiles, "bob") == found(profiles, "ann")


def test_the_stamp_of_an_operator_is_later_than_all_there_is() -> None:
    last = "9999-12-31T23:59:59.999Z m-1"
    for said in ([], [EARLIER], [AHEAD, EARLIER], [last], ["2024-06-01T00:00:00.000Z "]):
        assert all(ruling(NOW, said) > each for each in said)
    assert ruling(NOW, [ruling(NOW, [last])]) > ruling(NOW, [last])
    assert ruling(NOW, [EARLIER]).startswith("2024-03-01T00:00:00.000Z operator-")
