"""What is read can be stored without loss; anything else is refused with a reason."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.depth import depth_of, is_within
from schemas.errors import Invalid
from schemas.limits import Limits
from schemas.reading import read
from tests.schemas import strategies

LIMITS = Limits()


def refusal(raw: bytes, limits: Limits = LIMITS) -> tuple[str, str]:
    with pytest.raises(Invalid) as caught:
        read(raw, limits)
    (violation,) = caught.value.violations
    assert violation.code == "bad_request"
    assert str(caught.value) == violation.sentence()
    return violation.rule, violation.found


@given(st.dictionaries(strategies.texts, strategies.values))
def test_what_was_read_is_written_again_as_it_was(message: dict[str, object]) -> None:
    raw = msgspec.json.encode(message)
    assert msgspec.json.encode(read(raw, LIMITS)) == raw


@pytest.mark.parametrize(
    "number",
    [
        "18446744073709551616",
        "-9223372036854775809",
        "9" * 4300,
        "-" + "9" * 4299,
        "0.1",
        "5e-324",
        "1e308",
        "1.0",
        "-0.0",
    ],
)
def test_a_number_that_can_be_stored_comes_back_as_it_was(number: str) -> None:
    raw = b'{"n":%b}' % number.encode()
    assert msgspec.json.encode(read(raw, LIMITS)) == raw


def test_a_fraction_is_kept_as_a_double() -> None:
    assert read(b'{"n":0.12345678901234567890}', LIMITS) == {"n": 0.12345678901234568}


@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 4301, "NaN", "Infinity", "-Infinity", "01", "+1"])
def test_a_number_that_cannot_be_stored_is_refused(number: str) -> None:
    assert refusal(b'{"n":%b}' % number.encode())[0] == "json"


@pytest.mark.parametrize("text", [rb"\ud800", rb"x\udc00x", rb"\udc00\ud800", rb"\uD83D\u0041"])
def test_half_of_a_surrogate_pair_is_refused(text: bytes) -> None:
    assert refusal(b'{"t":"%b"}' % text) == ("json", "not (a text holds half of a surrogate pair)")
    assert refusal(b'{"%b":1}' % text)[0] == "json"


def test_a_whole_surrogate_pair_is_a_character() -> None:
    assert read(rb'{"t":"\ud83d\ude00"}', LIMITS) == {"t": "\U0001f600"}


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b"", "json"),
        (b"{", "json"),
        (b'{"a":1,}', "json"),
        (b'{"a":"\xff"}', "json"),
        (b"[1]", "type"),
        (b'"x"', "type"),
        (b"null", "type"),
        (b"[" * 65, "depth"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "depth"),
        (b" " * 32_769, "size"),
    ],
)
def test_what_is_no_message_is_refused(raw: bytes, rule: str) -> None:
    assert refusal(raw)[0] == rule


def test_a_message_at_the_limits_is_read() -> None:
    deep = b'{"a":' * 64 + b"1" + b"}" * 64
    assert read(deep + b" " * (32_768 - len(deep)), LIMITS)["a"]


def test_the_deepest_setting_still_decodes() -> None:
    deepest = Limits(depth=200)
    assert read(b'{"a":' * 200 + b"1" + b"}" * 200, deepest)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"depth": 201}, Limits)


def test_the_longest_message_id_can_only_be_lowered() -> None:
    assert msgspec.convert({"message_id_chars": 50}, Limits).message_id_chars == 50
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"message_id_chars": 101}, Limits)


def nesting(value: object) -> int:
    match value:
        case dict():
            return 1 + max(map(nesting, value.values()), default=0)
        case list():
            return 1 + max(map(nesting, value), default=0)
        case _:
            return 0


tricky = st.recursive(
    st.text('{}[]"\\a', max_size=6),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text('{["\\'), inner, max_size=3)),
)


@given(tricky)
def test_depth_counts_objects_and_arrays_but_nothing_inside_texts(value: object) -> None:
    assert depth_of(msgspec.json.encode(value), 1000) == nesting(value)


@given(tricky, st.integers(1, 4))
def test_depth_stops_just_beyond_the_limit(value: object, limit: int) -> None:
    raw = msgspec.json.encode(value)
    assert depth_of(raw, limit) == min(nesting(value), limit + 1)
    assert is_within(raw, limit) == (nesting(value) <= limit)


@given(st.text('{}[]"\\,:1 ').map(str.encode))
def test_no_text_that_decodes_is_deeper_than_it_was_said_to_be(raw: bytes) -> None:
    said = depth_of(raw, 5)
    assert 0 <= said <= 6
    try:
        value = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return
    assert min(nesting(value), 6) == said
