"""Errors that differ only in what the message held have one cause."""

import pytest

from worker.letters.cause import LONGEST, cause_id, cause_of


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("answered 400: no such field", "answered 400: no such field"),
        ('answered 400: user "ann" has 3 bills', 'answered 400: user "…" has # bills'),
        ("answered 422: it can't be that user's", "answered 422: it can't be that user's"),
        ("answered 404: order 6f1c2b1e-8f3e-4a52-9d0f-0b6a4a1f0a11 is gone", "answered 404: order # is gone"),
        ("ann@example.com is taken", "…@… is taken"),
        ("see https://a.example.com/v1/users/77?key=x&b=2 for more", "see https://a.example.com/#/users/# for more"),
        ('answered 400: {"error":"no such plan","id":"p"}', 'answered 400: {"error":"no such plan","id":"…"}'),
        ('answered 400: {"error": "no plan \\"gold\\" here"}', 'answered 400: {"error": "no plan “…” here"}'),
        ("much    space\nhere", "much space here"),
        ("", ""),
    ],
)
def test_what_differs_from_message_to_message_is_left_out(reason: str, cause: str) -> None:
    assert cause_of(reason) == cause


def test_a_cause_is_short_however_long_the_reason() -> None:
    assert len(cause_of("word " * 10_000)) <= LONGEST


def test_the_same_words_under_another_code_are_another_cause() -> None:
    assert cause_id("400", "no") != cause_id("422", "no")
    assert cause_id("400", "no") == cause_id("400", "no")
