"""Read the forms of date that clients send, and write the one form that Turnout stores. Pure."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

import msgspec

EARLIEST = -62_135_510_400_000
"""The second day of year 1. The first holds the zero time of Go: a client that sends it means "not set"."""
LATEST = 253_402_300_799_999
"""The last millisecond of year 9999."""

_DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_TAIL = re.compile(r"(?:[.,](\d{1,32}))?(?:([Zz])|([+-])(\d\d)(?::?(\d\d))?)?", re.ASCII)
_ISO = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)"
    r"(?:[Tt ](\d\d):?(\d\d)(?::?(\d\d)([.,]\d{1,32})?)?([Zz]|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_HTTP = re.compile(
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?(\d\d?) ([A-Z][a-z]{2}) (\d{4}) (\d\d:\d\d:\d\d)"
    r" (GMT|UT|UTC|Z|[+-]\d{4})",
    re.ASCII,
)
_UNIX = re.compile(r"\d{10}|\d{13}", re.ASCII)
_MONTHS = {
    "Jan": "01", "Feb": "02", "Mar": "03", "Apr": "04", "May": "05", "Jun": "06",
    "Jul": "07", "Aug": "08", "Sep": "09", "Oct": "10", "Nov": "11", "Dec": "12",
}  # fmt: skip
_MINUTES = {f"T{m // 60:02d}:{m % 60:02d}": m * 60_000 for m in range(1440)}
_WHOLE_SECONDS = {f":{second:02d}": second * 1000 for second in range(60)}
_SECONDS = {f"{text}.": ms for text, ms in _WHOLE_SECONDS.items()}
_MILLIS = {f"{milli:03d}Z": milli for milli in range(1000)}
_MINUTE_TEXTS, _SECOND_TEXTS, _MILLI_TEXTS = tuple(_MINUTES), tuple(_SECONDS), tuple(_MILLIS)


class Moment(msgspec.Struct, frozen=True):
    """A point in time as a client wrote it."""

    ms: int
    """Milliseconds since 1970 in UTC."""
    zoned: bool = True
    """Whether the client said which zone it meant; without one it is read as UTC."""
    whole_day: bool = False

    def text(self) -> str:
        return stamp(self.ms)[:10] if self.whole_day else stamp(self.ms)


def stamp(ms: int) -> str:
    """The moment as `YYYY-MM-DDTHH:MM:SS.sssZ`."""
    return _second_text(ms // 1000) + _MILLI_TEXTS[ms % 1000]


def stamped_ms(text: str) -> int | None:
    """The moment of a text that is already in the stored form, as most SDKs send it; None for any other text."""
    if len(text) != 24:
        return None
    try:
        return _second_ms(text[:20]) + _MILLIS[text[20:]]
    except (KeyError, ValueError):
        return None


def moment(value: object) -> Moment | None:
    """The moment that a client meant, None when the value is not a date in any form that we read."""
    match value:
        case bool():
            return None
        case str():
            return _from_parts(value) or _from_iso(value) or _from_unix(value) or _from_http(value)
        case int() | float():
            return _from_number(value)
        case _:
            return None


# Putting dates together from known days is faster than going through datetime, and there are few different days.
@lru_cache(maxsize=8192)
def _second_text(second: int) -> str:
    """`YYYY-MM-DDTHH:MM:SS.`: the messages of live traffic share few of them."""
    day, rest = divmod(second, 86_400)
    minute, rest = divmod(rest, 60)
    return _day_text(day) + _MINUTE_TEXTS[minute] + _SECOND_TEXTS[rest]


@lru_cache(maxsize=8192)
def _second_ms(text: str) -> int:
    """The first millisecond of `YYYY-MM-DDTHH:MM:SS.`; KeyError or ValueError for another text."""
    return _day_ms(text[:10]) + _MINUTES[text[10:16]] + _SECONDS[text[16:]]


@lru_cache(maxsize=8192)
def _day_text(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).isoformat()[:10]


@lru_cache(maxsize=8192)
def _day_ms(text: str) -> int:
    """The first millisecond of `YYYY-MM-DD`. A ValueError for another text, and for a day that there is not."""
    found = _DAY.fullmatch(text)
    if not found:
        raise ValueError(text)
    year, month, day = map(int, found.groups())
    ms = (datetime(year, month, day, tzinfo=UTC) - _EPOCH).days * _DAY_MS
    if ms < EARLIEST:
        raise ValueError(text)
    return ms


@lru_cache(maxsize=8192)
def _tail_ms(text: str) -> tuple[int, bool]:
    """What fraction and zone add to whole seconds, and whether there is a zone. A ValueError for another text."""
    found = _TAIL.fullmatch(text)
    if not found:
        raise ValueError(text)
    fraction, utc, sign, hours, minutes = found.groups(default="")
    ahead = _MINUTES[f"T{hours}:{minutes or '00'}"] if sign else 0
    return int(fraction[:3].ljust(3, "0")) - (ahead if sign == "+" else -ahead), bool(utc or sign)


def _from_parts(text: str) -> Moment | None:
    """The moment of `YYYY-MM-DDTHH:MM:SS` with any fraction and zone."""
    try:
        whole = _day_ms(text[:10]) + _MINUTES[text[10:16]] + _WHOLE_SECONDS[text[16:19]]
        rest, zoned = _tail_ms(text[19:])
    except (KeyError, ValueError):
        return None
    return _moment(whole + rest, zoned=zoned)


def _from_iso(text: str) -> Moment | None:
    """The moment of any other form of ISO 8601 that has at least a full date."""
    found = _ISO.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups(default="")
    if not hour:
        start = _from_parts(f"{year}-{month}-{day}T00:00:00")
        return start and Moment(start.ms, zoned=False, whole_day=True)
    if second == "60":
        # A leap second is kept as the last moment before it.
        second, fraction = "59", ".999"
    return _from_parts(f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}{fraction}{zone}")


def _from_http(text: str) -> Moment | None:
    found = _HTTP.fullmatch(text)
    if not found or found[2] not in _MONTHS:
        return None
    day, month, year, time, zone = found.groups()
    return _from_parts(f"{year}-{_MONTHS[month]}-{day:0>2}T{time}{zone if zone[0] in '+-' else 'Z'}")


def _from_unix(text: str) -> Moment | None:
    if not _UNIX.fullmatch(text):
        return None
    return _moment(int(text) * (1000 if len(text) == 10 else 1))


def _from_number(number: float) -> Moment | None:
    """Ten digits before the point are seconds, thirteen are milliseconds. Anything else would be a guess."""
    if 10**9 <= number < 10**10:
        # By way of the decimal text: 1700000000.129 * 1000 is a hair below what the client wrote.
        return _moment(int(Decimal(str(number)) * 1000))
    if 10**12 <= number < 10**13:
        return _moment(int(number))
    return None


def _moment(ms: int, *, zoned: bool = True) -> Moment | None:
    return Moment(ms, zoned) if EARLIEST <= ms <= LATEST else None
