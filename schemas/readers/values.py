"""Make of one JSON value the text, number, amount or date that was meant. Pure."""

import math
import re
from decimal import Decimal

from schemas.dates import Moment, moment, stamped_ms
from schemas.identifiers import decimal_text

Number = int | float

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LONGEST_NUMBER = 64
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)
_SIGN = r"(?:[$€£¥]|[A-Za-z]{3})?"
_AMOUNT = re.compile(
    rf"(-?) ?{_SIGN} ?(-?(?:\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{{1,2}})?) ?{_SIGN}",
    re.ASCII,
)
_COUNT = re.compile(r"\d{1,3}(?:[,_ ]\d{3})+|\d+", re.ASCII)
_SEPARATORS = re.compile("[,_ ]")


def text_of(value: object) -> str | None:
    """A text without the blanks around it; None where that leaves nothing, and for what is no text."""
    return value.strip() or None if isinstance(value, str) else None


def label_of(value: object) -> str | None:
    """The same; a number is a text as well."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return decimal_text(value)
    return text_of(value)


def email_of(value: object) -> str | None:
    """A text that is an address of e-mail as a whole."""
    text = text_of(value)
    return text if text is not None and _EMAIL.fullmatch(text) else None


def date_of(value: object) -> Moment | None:
    """A date in any form that we read; most often the stored one."""
    ms = stamped_ms(value) if isinstance(value, str) else None
    return moment(value) if ms is None else Moment(ms)


def number_of(value: object) -> Number | None:
    """A number, or a text that is one in digits."""
    match value:
        case bool():
            return None
        case int():
            return value
        case float():
            return value if math.isfinite(value) else None
        case str():
            text = value.strip()
            return _read(text) if len(text) <= _LONGEST_NUMBER and _NUMBER.fullmatch(text) else None
        case _:
            return None


def amount_of(value: object) -> Number | None:
    """The same for money: a currency sign or code may stand before or after, commas may part thousands."""
    if not isinstance(value, str):
        return number_of(value)
    text = value.strip()
    found = _AMOUNT.fullmatch(text) if len(text) <= _LONGEST_NUMBER else None
    if found is None:
        return None
    minus, digits = found.groups()
    if minus and digits.startswith("-"):
        return None
    return _read(minus + digits.replace(",", ""))


def count_of(value: object) -> Number | str | None:
    """How many there are: a number where it is one, with thousands parted or not, else the text (`51-200`)."""
    if not isinstance(value, str):
        return number_of(value)
    text = text_of(value)
    if text is None or len(text) > _LONGEST_NUMBER or not _COUNT.fullmatch(text):
        return text
    return int(_SEPARATORS.sub("", text))


def decimal_of(number: Number) -> Decimal:
    """The number as it was written, so that 19.99 times a hundred is 1999."""
    return Decimal(number) if isinstance(number, int) else Decimal(repr(number))


def plain(number: Decimal) -> Number | None:
    """The number as JSON has it; None for what no double can hold."""
    if number == number.to_integral_value():
        return int(number)
    inexact = float(number)
    return inexact if math.isfinite(inexact) else None


def _read(digits: str) -> Number | None:
    return plain(Decimal(digits)) if digits.strip("+-0123456789") else int(digits)
