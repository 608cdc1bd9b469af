"""Secrets are taken out of texts, however they are written there."""

import msgspec
import pytest

from destinations.http.values import HeaderValue
from destinations.redaction import Redactor
from destinations.values import Secret


class Inner(msgspec.Struct, frozen=True):
    keys: list[Secret]


class Settings(msgspec.Struct, frozen=True):
    token: Secret
    inner: Inner
    headers: dict[str, HeaderValue]
    none: Secret | None = None


SETTINGS = Settings(Secret('pl/ant"ed &é'), Inner([Secret("second-key")]), {"Authorization": HeaderValue("Bearer x1")})


@pytest.mark.parametrize(
    "written",
    [
        'pl/ant"ed &é',
        'pl/ant\\"ed &é',
        "pl/ant%22ed%20%26%C3%A9",
        "pl%2Fant%22ed%20%26%C3%A9",
        "pl%2Fant%22ed+%26%C3%A9",
        "cGwvYW50ImVkICbDqQ==",
        "second-key",
        "Bearer x1",
    ],
)
def test_a_secret_is_masked_in_every_spelling(written: str) -> None:
    assert Redactor(SETTINGS)(f"before {written} after") == "before *** after"


def test_a_secret_that_was_cut_is_masked() -> None:
    assert Redactor(SETTINGS)("answered 400: second-k") == "answered 400: ***"


def test_other_text_stays() -> None:
    assert Redactor(SETTINGS)("answered 400: sec") == "answered 400: sec"
