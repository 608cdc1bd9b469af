"""Whatever the collector accepts can be kept, in every database."""

import pytest

from tests.destinations.profiles.people import Town

ODD = ["x" * 30_000, "é" * 900, "nul\0in it", "\0", "💥", "' OR 1=1 --", "a,b]", " ", "~"]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd[:6]))
def test_an_id_may_be_anything(town: Town, odd: str) -> None:
    town.hears("identify", userId=odd, anonymousId=odd, traits={odd: odd, "email": odd})
    town.hears("group", userId=odd, groupId=odd, traits={"name": odd})
    town.hears("alias", userId=odd, previousId=f"{odd}1")
    town.hears("track", userId=odd, event="E")
    profile = town.knows("user_id", odd)
    assert profile is not None
    assert profile.values() == {odd: odd, "email": odd}
    assert profile == town.knows("anonymous_id", odd) == town.knows("email", odd)


def test_ids_that_begin_alike_are_not_mixed(town: Town) -> None:
    for last in "ab":
        town.hears("identify", userId="x" * 5_000 + last, traits={"last": last})
    found = town.knows("user_id", "x" * 5_000 + "a")
    assert found is not None
    assert found.values() == {"last": "a"}


@pytest.mark.parametrize("value", [10**30, -(10**30), 1.5e308, 5e-324, 2**63, {"a": [{"b": None}]}, [], {}, "", "\0"])
def test_a_trait_may_be_any_value(town: Town, value: object) -> None:
    town.hears("identify", userId="u", traits={"t": value})
    found = town.knows("user_id", "u")
    assert found is not None
    assert found.values() == {"t": value}


def test_what_a_message_is_called_may_be_anything(town: Town) -> None:
    for name in ("nul\0", "x" * 100, "💥" * 25):
        town.hears("identify", userId="u", messageId=name, traits={name: 1}, context=increment("n", 1))
    found = town.knows("user_id", "u")
    assert found is not None
    assert found.values()["n"] == 3


def test_numbers_that_nobody_counts_with_are_no_increments(town: Town) -> None:
    for trait, by in (("n", 10**301), ("n", 7), (".".join(["a"] * 5_000), 1), ("big", 1)):
        town.hears("identify", userId="u", context=increment(trait, by), traits={"big": 10**3_000})
    found = town.knows("user_id", "u")
    assert found is not None
    assert found.values() == {"n": 7, "big": 10**3_000}


def increment(trait: str, by: float) -> dict[str, object]:
    return {"operations": [{"op": "increment", "trait": trait, "by": by}]}
