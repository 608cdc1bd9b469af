"""The groups of an event have one form, whatever was sent."""

from typing import Any

import pytest

from schemas.context import settled_context
from schemas.groups import MOST
from schemas.notes import Note


def settled(context: dict[str, Any]) -> tuple[dict[str, Any], list[Note]]:
    notes: list[Note] = []
    return settled_context(context, notes), notes


def test_the_first_group_is_the_group_for_those_who_know_one() -> None:
    assert settled({"groups": ["g1", 2.0, "g1"]}) == ({"groups": ["g1", "2"], "groupId": "g1"}, [])


def test_the_group_that_the_client_names_stays() -> None:
    assert settled({"groups": ["g1"], "groupId": "g9"}) == ({"groups": ["g1"], "groupId": "g9"}, [])


@pytest.mark.parametrize("absent", [None, []])
def test_no_groups_leave_nothing(absent: object) -> None:
    assert settled({"groups": absent}) == ({}, [])


def test_what_is_no_list_is_noted_and_dropped() -> None:
    assert settled({"groups": "g1"}) == ({}, [{"path": "context.groups", "rule": "not_a_list", "was": "g1"}])


def test_what_is_no_id_is_noted_and_dropped() -> None:
    groups = ["", True, None, {"id": "g"}]
    notes = [{"path": f"context.groups.{index}", "rule": "dropped", "was": was} for index, was in enumerate(groups)]
    assert settled({"groups": [*groups, "g1"]}) == ({"groups": ["g1"], "groupId": "g1"}, notes)


def test_groups_past_the_bound_are_noted_and_dropped() -> None:
    many = [f"g{index}" for index in range(MOST + 2)]
    context, notes = settled({"groups": many})
    assert context["groups"] == many[:MOST]
    assert notes == [{"path": "context.groups", "rule": "dropped", "was": many[MOST:]}]
