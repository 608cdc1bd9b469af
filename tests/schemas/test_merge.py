"""Two objects become one, and the upper one wins at every leaf."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.merge import merged
from tests.schemas import strategies

objects = st.dictionaries(st.sampled_from("abc"), st.recursive(
    strategies.scalars, lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=8
), max_size=3)  # fmt: skip


def leaves(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    if not isinstance(value, dict) or not value:
        return {path: value}
    found: dict[tuple[str, ...], Any] = {}
    for key, inner in value.items():
        found |= leaves(inner, (*path, key))
    return found


@given(objects, objects)
def test_every_leaf_of_the_upper_object_is_there(under: dict[str, Any], over: dict[str, Any]) -> None:
    found = leaves(merged(under, over))
    for path, leaf in leaves(over).items():
        if leaf != {}:
            assert found[path] == leaf


@given(objects, objects)
def test_merging_changes_neither_object(under: dict[str, Any], over: dict[str, Any]) -> None:
    before = copy.deepcopy((under, over))
    whole = merged(under, over)
    assert (under, over) == before
    assert merged(under, whole) == whole


@given(objects)
def test_an_object_merged_with_nothing_or_itself_stays(one: dict[str, Any]) -> None:
    assert merged(one, {}) == merged({}, one) == merged(one, one) == one


def test_arrays_and_libraries_are_replaced_as_a_whole() -> None:
    under = {"tags": [1, 2], "library": {"name": "go", "version": "3"}, "page": {"a": 1, "b": {"c": 1}}}
    over = {"tags": [3], "library": {"name": "js"}, "page": {"a": None, "b": {"d": 2}}}
    assert merged(under, over) == {
        "tags": [3],
        "library": {"name": "js"},
        "page": {"a": None, "b": {"c": 1, "d": 2}},
    }
