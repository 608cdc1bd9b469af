"""Which texts and numbers are dates, and which moment each of them means."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.dates import EARLIEST, LATEST, Moment, moment, stamp, stamped_ms
from tests.schemas import strategies

DAY = "2024-05-06"
AT_SEVEN = "2024-05-06T07:08:09.000Z"

READ = {
    "2024-05-06T07:08:09.123Z": "2024-05-06T07:08:09.123Z",
    "2024-05-06t07:08:09.123z": "2024-05-06T07:08:09.123Z",
    "2024-05-06T07:08:09Z": AT_SEVEN,
    "2024-05-06T07:08Z": "2024-05-06T07:08:00.000Z",
    "2024-05-06T07:08:09.1Z": "2024-05-06T07:08:09.100Z",
    "2024-05-06T07:08:09,12Z": "2024-05-06T07:08:09.120Z",
    "2024-05-06T07:08:09.449782649Z": "2024-05-06T07:08:09.449Z",
    "2024-05-06T07:08:09.999999+00:00": "2024-05-06T07:08:09.999Z",
    "2024-05-06T09:08:09+02:00": AT_SEVEN,
    "2024-05-06T01:38:09-0530": AT_SEVEN,
    "2024-05-06T09:08:09+02": AT_SEVEN,
    "2024-05-06 09:08:09+02:00": AT_SEVEN,
    "20240506T070809Z": AT_SEVEN,
    "2024-05-06T0708Z": "2024-05-06T07:08:00.000Z",
    "2024-01-01T00:30:00+01:00": "2023-12-31T23:30:00.000Z",
    "2016-12-31T23:59:60Z": "2016-12-31T23:59:59.999Z",
    "2016-12-31T23:59:60.250Z": "2016-12-31T23:59:59.999Z",
    "2024-02-29T00:00:00Z": "2024-02-29T00:00:00.000Z",
    "Mon, 06 May 2024 07:08:09 GMT": AT_SEVEN,
    "6 May 2024 07:08:09 +0000": AT_SEVEN,
    "Mon, 06 May 2024 09:08:09 +0200": AT_SEVEN,
    "1714979289": AT_SEVEN,
    "1714979289123": "2024-05-06T07:08:09.123Z",
    1714979289: AT_SEVEN,
    1714979289123: "2024-05-06T07:08:09.123Z",
    1714979289.129: "2024-05-06T07:08:09.129Z",
    1714979289123.9: "2024-05-06T07:08:09.123Z",
    "1969-07-20T20:17:40Z": "1969-07-20T20:17:40.000Z",
    "9999-12-31T23:59:59.999Z": "9999-12-31T23:59:59.999Z",
}


@pytest.mark.parametrize(("written", "meant"), READ.items())
def test_a_date_with_a_zone_is_read(written: object, meant: str) -> None:
    read = moment(written)
    assert read is not None
    assert (read.text(), read.zoned, read.whole_day) == (meant, True, False)


@pytest.mark.parametrize("written", ["2024-05-06T07:08:09", "2024-05-06 07:08:09.000", "20240506T070809"])
def test_a_date_without_a_zone_is_read_as_utc(written: str) -> None:
    read = moment(written)
    assert read is not None
    assert (read.text(), read.zoned) == (AT_SEVEN, False)


@pytest.mark.parametrize("written", ["2024-05-06", "20240506", "2024-0506"])
def test_a_date_alone_stays_a_date(written: str) -> None:
    read = moment(written)
    assert read is not None
    assert (read.text(), read.zoned, read.whole_day) == (DAY, False, True)


UNREADABLE: list[object] = [
    "", "soon", "2024", "202405", "2024-05", "2024-5-06", "2015-2-02T00:30:08.276Z", "2024-13-01", "2024-02-30",
    "2023-02-29T00:00:00Z", "2024-05-06T24:00:00Z", "2024-05-06T07:60:00Z", "2024-05-06T07:08:61Z", "2024-05-06T07Z",
    "2024-05-06T07:08:09+24:00", "2024-05-06T07:08:09+02:60", "2024-05-06T07:08:09.Z", "2024-05-06T07:08.5Z",
    "2020-05-09 23:54:49.209808489 +0000 UTC m=+70366.29", "2024-W19-1T00:00:00.000Z", "2024-05-06X07:08:09.123Z",
    "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z", "0001-01-02T00:00:00+01:00",
    "9999-12-31T23:59:59-01:00", "12345", "123456789", "12345678901", "\u0662024-05-06", "2024-05-06T07:08:09.\u0661Z",
    "2024-05-06T07:08:09.123Z\n", " 2024-05-06", "Mon, 06 Mai 2024 07:08:09 GMT", "06 May 2024",
    "Mon, 31 Feb 2024 07:08:09 GMT", "2024-05-06T07:08:09." + "1" * 33 + "Z",
    0, 5, -1, 2024, 20240506, 999_999_999, 10**10, 10**11, 10**13, 1e300, float("inf"), float("nan"),
    True, False, None, [], {}, ["2024-05-06"],
]  # fmt: skip


@pytest.mark.parametrize("value", UNREADABLE)
def test_anything_else_is_no_date(value: object) -> None:
    assert moment(value) is None


@given(st.integers(EARLIEST, LATEST))
def test_what_is_stamped_is_read_as_the_same_moment(ms: int) -> None:
    assert moment(stamp(ms)) == Moment(ms)
    assert stamped_ms(stamp(ms)) == ms


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 31)).map(lambda when: when.replace(tzinfo=UTC)))  # noqa: DTZ001 - Hypothesis wants bounds without a zone
def test_a_stamp_is_what_python_would_write(when: datetime) -> None:
    ms = (when - datetime(1970, 1, 1, tzinfo=UTC)).days * 86_400_000
    ms += (when.hour * 60 + when.minute) * 60_000 + when.second * 1000 + when.microsecond // 1000
    assert stamp(ms) == when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@given(st.one_of(strategies.values, strategies.dates, st.text("0123456789-:TZ+. ")))
def test_no_value_upsets_the_reader_and_what_it_writes_it_reads_again(value: object) -> None:
    read = moment(value)
    if read is not None:
        assert moment(read.text()) == Moment(read.ms, not read.whole_day, read.whole_day)


@given(st.text("0123456789-:TZ.", min_size=24, max_size=24))
def test_the_quick_reader_reads_nothing_that_the_thorough_one_does_not(text: str) -> None:
    quick = stamped_ms(text)
    assert quick is None or moment(text) == Moment(quick)
