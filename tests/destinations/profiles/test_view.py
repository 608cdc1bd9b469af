"""Traits are shown in the types that their names promise, and what was sent is not lost."""

from typing import Any

import pytest

from destinations.profiles.document import Trait
from destinations.profiles.view import viewed


def seen(**traits: Any) -> dict[str, Any]:
    return {name: trait.value for name, trait in viewed(said(**traits)).items()}


def said(**traits: Any) -> dict[str, Trait]:
    return {name: Trait(value, f"2024-01-0{day} m", "web") for day, (name, value) in enumerate(traits.items(), 1)}


@pytest.mark.parametrize(
    ("name", "sent", "shown"),
    [
        ("employees", "329", 329),
        ("employees", "1,000", 1000),
        ("employees", "51-200", "51-200"),
        ("employees", 7, 7),
        ("employees", None, None),
        ("age", "42", 42),
        ("age", "about 40", "about 40"),
        ("age", True, True),
        ("phone", 491701234567, "491701234567"),
        ("phone", "0170 1234567", "0170 1234567"),
        ("username", 7, "7"),
        ("birthday", "1990-02-29", "1990-02-29"),
        ("createdAt", "2024-02-29T12:00:00.000Z", "2024-02-29T12:00:00.000Z"),
        ("createdAt", "soon", "soon"),
        ("company", "Initech", {"name": "Initech"}),
        ("company", {"name": "Initech", "employee_count": "12"}, {"name": "Initech", "employee_count": 12}),
        ("address", {"city": "Rome", "postalCode": 187}, {"city": "Rome", "postalCode": "187"}),
        ("address", "Via Appia 1", "Via Appia 1"),
        ("plan", "329", "329"),
        ("visits", "7", "7"),
    ],
)
def test_a_trait_is_of_the_type_that_its_name_promises(name: str, sent: object, shown: object) -> None:
    assert seen(**{name: sent})[name] == shown


def test_a_name_is_put_together_where_only_its_parts_are_given() -> None:
    assert seen(firstName="Ada", lastName=" Lovelace ")["name"] == "Ada Lovelace"
    assert seen(firstName="Ada", lastName="Lovelace", name="Countess")["name"] == "Countess"
    assert seen(name=None, firstName="Ada", lastName="Lovelace")["name"] == "Ada Lovelace"
    assert "name" not in seen(firstName="Ada", lastName=" ")


def test_an_address_is_put_together_where_its_parts_stand_among_the_traits() -> None:
    shown = seen(city="Rome", zip=187, region="Lazio", country="IT")
    assert shown["address"] == {"city": "Rome", "state": "Lazio", "postalCode": "187", "country": "IT"}
    assert (shown["zip"], shown["city"]) == (187, "Rome")
    assert seen(city="Rome", address="Via Appia 1")["address"] == "Via Appia 1"


def test_what_follows_from_others_is_as_new_as_the_last_of_them() -> None:
    assert viewed(said(lastName="Lovelace", firstName="Ada"))["name"].stamp == "2024-01-02 m"


def test_what_was_sent_stays_as_it_was() -> None:
    sent = said(employees="329", company="Initech", firstName="Ada")
    before = dict(sent)
    viewed(sent)
    assert sent == before
