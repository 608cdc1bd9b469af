"""Reserved traits have one spelling, custom traits keep theirs."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.notes import Note
from schemas.reserved import (
    ADDRESS_MEMBERS,
    COMPANY_MEMBERS,
    GROUP,
    GROUP_TRAITS,
    USER,
    USER_TRAITS,
    Spellings,
    settled,
)
from tests.schemas import strategies


def user(traits: dict[str, Any]) -> dict[str, Any]:
    return settled(traits, USER, "traits", [])


def test_there_are_17_user_traits_and_12_group_traits() -> None:
    assert (len(set(USER_TRAITS)), len(set(GROUP_TRAITS))) == (17, 12)
    assert (len(set(ADDRESS_MEMBERS)), len(set(COMPANY_MEMBERS))) == (5, 5)


def respell(name: str, separator: str) -> str:
    """createdAt as created-At, and the like."""
    return "".join(separator + letter if letter.isupper() else letter for letter in name)


@pytest.mark.parametrize("separator", ["", "_", "-", " ", "/", ":", "@", "\t", "$"])
@pytest.mark.parametrize("case", [str, str.lower, str.upper, str.title])
@pytest.mark.parametrize(("names", "shape"), [(USER_TRAITS, USER), (GROUP_TRAITS, GROUP)])
def test_every_reserved_trait_is_found_whatever_case_and_separators(
    separator: str, case: Any, names: tuple[str, ...], shape: Any
) -> None:
    for name in names:
        assert settled({case(respell(name, separator)): "x"}, shape, "traits", []) == {name: "x"}


@pytest.mark.parametrize(
    "key",
    [
        "created.at", "$created_at", "créatedAt", "EMAİL", "e\u200bmail", "emails", "email_address", "created_at1", "",
        "___", "второе", "total billed", "Plan", "employees", "industry", "$email", "e.mail", "address.city",
        "address_city", "zip", "created",
    ],
)  # fmt: skip
def test_every_other_trait_keeps_its_spelling(key: str) -> None:
    assert user({key: "x"}) == {key: "x"}


def test_plan_industry_and_employees_are_reserved_for_groups_only() -> None:
    traits = {"Plan": 1, "INDUSTRY": 2, "Employees": "51-200", "Birth_Day": 3}
    found = settled(dict(traits), GROUP, "traits", [])
    assert found == {"plan": 1, "industry": 2, "employees": "51-200", "Birth_Day": 3}


TWO_SPELLINGS = [
    ({"createdAt": "x", "created_at": "y"}, {"createdAt": "x", "created_at": "y"}),
    ({"created_at": "y", "createdAt": "x"}, {"created_at": "y", "createdAt": "x"}),
    ({"Email": "a", "EMAIL": "b"}, {"email": "a", "EMAIL": "b"}),
    ({"email": None, "EMAIL": "b"}, {"email": "b"}),
    ({"EMAIL": "b", "email": None}, {"email": "b"}),
    ({"Email": None, "EMAIL": "b"}, {"Email": None, "email": "b"}),
    ({"Email": None, "EMAIL": None}, {"email": None, "EMAIL": None}),
    ({"Email": None, "email": None}, {"Email": None, "email": None}),
    ({"Email": None}, {"email": None}),
    ({"Email": ""}, {"email": ""}),
    ({"Email": "", "EMAIL": "b"}, {"email": "", "EMAIL": "b"}),
    ({"email": None, "Email": None, "EMAIL": 1, "e_mail": 2}, {"Email": None, "email": 1, "e_mail": 2}),
]


@pytest.mark.parametrize(("traits", "expected"), TWO_SPELLINGS)
def test_of_two_spellings_the_exact_one_wins_then_the_first_that_is_not_null(
    traits: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert user(dict(traits)) == expected
    assert user(user(dict(traits))) == expected


def test_a_spelling_that_loses_is_noted() -> None:
    notes: list[Note] = []
    settled({"Email": "a", "EMAIL": "b", "plan": "c"}, USER, "traits", notes)
    assert notes == [{"path": "traits.EMAIL", "rule": "other_spelling"}]


def test_the_members_of_address_and_company_have_one_spelling_too() -> None:
    traits = {
        "Address": {"postal_code": "1", "CITY": "x", "zip": "2", "Street": "s", "geo": {"City": 1}},
        "company": {"employeeCount": 3, "NAME": "n", "Plan": "p", "createdAt": "2024"},
    }
    assert user(traits) == {
        "address": {"postalCode": "1", "city": "x", "zip": "2", "street": "s", "geo": {"City": 1}},
        "company": {"employee_count": 3, "name": "n", "plan": "p", "createdAt": "2024"},
    }


def test_a_company_is_nothing_special_in_a_group() -> None:
    assert settled({"company": {"NAME": "n"}}, GROUP, "traits", []) == {"company": {"NAME": "n"}}


@pytest.mark.parametrize("value", ["Acme", None, 5, [1], True])
def test_an_address_or_company_that_is_no_object_stays(value: object) -> None:
    assert user({"company": value, "address": value}) == {"company": value, "address": value}


def test_an_empty_array_for_an_address_is_an_empty_object() -> None:
    assert user({"address": [], "company": []}) == {"address": {}, "company": {}}


def test_only_reserved_dates_are_rewritten() -> None:
    date, other = "2024-05-06T09:08:09+02:00", "2024-05-06T07:08:09.000Z"
    traits = {"created_at": date, "birthday": "19900102", "signedUp": date, "phone": "1714979289", "name": "20240506"}
    assert user(traits) == {
        "createdAt": other,
        "birthday": "1990-01-02",
        "signedUp": date,
        "phone": "1714979289",
        "name": "20240506",
    }
    assert settled({"birthday": "19900102", "createdAt": 1714979289}, GROUP, "traits", []) == {
        "birthday": "19900102",
        "createdAt": other,
    }


@pytest.mark.parametrize("value", ["soon", "2014", "", 5, True, [], {"a": 1}, "0001-01-01T00:00:00Z"])
def test_a_date_that_cannot_be_read_stays_and_is_noted(value: object) -> None:
    notes: list[Note] = []
    assert settled({"createdAt": value}, USER, "traits", notes) == {"createdAt": value}
    assert notes == [{"path": "traits.createdAt", "rule": "not_a_date"}]


def test_a_date_without_a_zone_is_utc_and_noted() -> None:
    notes: list[Note] = []
    found = settled({"createdAt": "2024-05-06 07:08:09", "birthday": None}, USER, "traits", notes)
    assert found == {"createdAt": "2024-05-06T07:08:09.000Z", "birthday": None}
    assert notes == [{"path": "traits.createdAt", "rule": "no_zone", "was": "2024-05-06 07:08:09"}]


@given(strategies.traits, st.sampled_from([USER, GROUP]))
def test_settling_settled_traits_changes_nothing(traits: dict[str, Any], shape: Any) -> None:
    once = settled(traits, shape, "traits", [])
    assert list(settled(dict(once), shape, "traits", []).items()) == list(once.items())


def test_the_memory_for_spellings_is_bounded() -> None:
    spellings = Spellings(["createdAt"])
    for number in range(20_000):
        assert spellings[f"trait {number}"] is None
    assert len(spellings) <= 8192
    assert spellings["x" * 5000] is None
    assert max(map(len, spellings)) <= 64
    assert spellings["created_at"] == "createdAt"
