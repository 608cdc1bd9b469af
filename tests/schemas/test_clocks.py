"""When a message happened, from two clocks that may both be odd."""

from typing import Any

import pytest

from schemas.clocks import Sending, sending, settle_times
from schemas.dates import stamp, stamped_ms
from schemas.notes import Note

RECEIVED = "2024-05-06T07:08:10.000Z"
DAY = 86_400_000


def ms(text: str) -> int:
    read = stamped_ms(text)
    assert read is not None
    return read


def settled(
    message: dict[str, Any], *, batch_sent: object = None, received: str = RECEIVED
) -> tuple[dict[str, Any], list[Note]]:
    notes: list[Note] = []
    settle_times(message, sending(batch_sent, ms(received)), received, ms(received), notes)
    return message, notes


@pytest.mark.parametrize(
    ("original", "sent", "received", "corrected"),
    [
        ("19:11:01.152", "19:11:01.169", "19:11:01.266", "19:11:01.249"),
        ("16:33:26.060", "16:33:26.060", "16:33:26.158", "16:33:26.158"),
        ("17:35:47.381", "17:35:47.382", "17:35:47.405", "17:35:47.404"),
        ("17:39:06.142", "17:39:06.143", "17:39:06.172", "17:39:06.171"),
        ("17:39:56.999", "17:39:57.000", "17:39:57.032", "17:39:57.031"),
        ("17:36:42.787", "17:36:42.787", "17:36:42.812", "17:36:42.812"),
    ],
)
@pytest.mark.parametrize("whose", ["message", "batch"])
def test_the_documented_payloads_are_corrected_as_documented(
    original: str, sent: str, received: str, corrected: str, whose: str
) -> None:
    original, sent, received, corrected = (f"2017-03-01T{t}Z" for t in (original, sent, received, corrected))
    message = {"timestamp": original} | ({"sentAt": sent} if whose == "message" else {})
    found, notes = settled(message, batch_sent=sent if whose == "batch" else None, received=received)
    assert found == {
        "originalTimestamp": original,
        "sentAt": sent,
        "receivedAt": received,
        "timestamp": corrected,
    }
    assert notes == []


def test_without_a_sending_time_nothing_is_corrected() -> None:
    found, notes = settled({"timestamp": "2020-01-01T00:00:00.000Z"})
    assert found["timestamp"] == found["originalTimestamp"] == "2020-01-01T00:00:00.000Z"
    assert "sentAt" not in found
    assert notes == []


@pytest.mark.parametrize("absent", [{}, {"timestamp": None}, {"timestamp": ""}])
def test_without_a_time_of_its_own_a_message_happened_when_it_came(absent: dict[str, Any]) -> None:
    found, notes = settled(absent, batch_sent="2024-05-06T07:00:00.000Z")
    assert found["timestamp"] == found["originalTimestamp"] == found["receivedAt"] == RECEIVED
    assert found["sentAt"] == "2024-05-06T07:00:00.000Z"
    assert notes == []


@pytest.mark.parametrize("odd", ["soon", 5, True, {"a": 1}, "0001-01-01T00:00:00Z", "2014"])
def test_an_unreadable_time_counts_as_missing_and_is_kept_in_a_note(odd: object) -> None:
    found, notes = settled({"timestamp": odd, "sentAt": odd})
    assert found["timestamp"] == RECEIVED
    assert "sentAt" not in found
    assert notes == [
        {"path": "sentAt", "rule": "not_a_date", "was": odd},
        {"path": "timestamp", "rule": "not_a_date", "was": odd},
    ]


def test_the_sending_time_of_the_batch_serves_a_message_whose_own_is_unreadable() -> None:
    sent = "2024-05-06T07:08:09.000Z"
    found, notes = settled({"timestamp": sent, "sentAt": "soon"}, batch_sent=sent)
    assert (found["sentAt"], found["timestamp"]) == (sent, RECEIVED)
    assert notes == [{"path": "sentAt", "rule": "not_a_date", "was": "soon"}]


def test_an_unreadable_sending_time_of_the_batch_is_noted_in_its_messages() -> None:
    found, notes = settled({"timestamp": RECEIVED}, batch_sent="soon")
    assert found["timestamp"] == RECEIVED
    assert notes == [{"path": "sentAt", "rule": "not_a_date", "was": "soon"}]


def test_original_timestamp_serves_where_there_is_no_timestamp() -> None:
    found, notes = settled({"originalTimestamp": "2024-05-06T07:00:00+00:00", "timestamp": "soon"})
    assert found["timestamp"] == found["originalTimestamp"] == "2024-05-06T07:00:00.000Z"
    assert notes == [{"path": "timestamp", "rule": "not_a_date", "was": "soon"}]


def test_timestamp_wins_over_original_timestamp_which_is_kept_in_a_note() -> None:
    said = {"timestamp": "2024-05-06T07:00:00.000Z", "originalTimestamp": "2024-05-06T06:00:00.000Z"}
    found, notes = settled(dict(said))
    assert found["originalTimestamp"] == found["timestamp"] == said["timestamp"]
    assert notes == [{"path": "originalTimestamp", "rule": "replaced", "was": said["originalTimestamp"]}]


@pytest.mark.parametrize("years", [-11, 11])
def test_a_clock_that_is_off_by_more_than_ten_years_does_not_correct(years: int) -> None:
    sent = stamp(ms(RECEIVED) + years * 365 * DAY)
    found, notes = settled({"timestamp": "2020-01-01T00:00:00.000Z", "sentAt": sent})
    assert found["timestamp"] == "2020-01-01T00:00:00.000Z"
    assert found["sentAt"] == sent
    assert notes == [{"path": "sentAt", "rule": "absurd_clock"}]


def test_a_clock_that_is_off_by_nine_years_corrects() -> None:
    sent = ms(RECEIVED) - 9 * 365 * DAY
    found, notes = settled({"timestamp": stamp(sent - 5000), "sentAt": stamp(sent)})
    assert found["timestamp"] == stamp(ms(RECEIVED) - 5000)
    assert notes == []


def test_times_without_a_zone_are_utc_and_noted() -> None:
    found, notes = settled({"timestamp": "2024-05-06 07:00:00", "sentAt": "2024-05-06T07:08:09"})
    assert (found["sentAt"], found["timestamp"]) == ("2024-05-06T07:08:09.000Z", "2024-05-06T07:00:01.000Z")
    assert notes == [
        {"path": "sentAt", "rule": "no_zone", "was": "2024-05-06T07:08:09"},
        {"path": "timestamp", "rule": "no_zone", "was": "2024-05-06 07:00:00"},
    ]


def test_a_message_from_the_future_is_taken_and_noted() -> None:
    found, notes = settled({"timestamp": stamp(ms(RECEIVED) + DAY + 1)})
    assert found["timestamp"] == stamp(ms(RECEIVED) + DAY + 1)
    assert notes == [{"path": "timestamp", "rule": "future"}]
    assert settled({"timestamp": stamp(ms(RECEIVED) + DAY)})[1] == []


def test_a_correction_that_leaves_the_calendar_is_not_made() -> None:
    last = "9999-12-31T23:59:59.999Z"
    found, notes = settled({"timestamp": last, "sentAt": "2024-05-06T07:08:09.000Z"})
    assert found["timestamp"] == last
    assert {"path": "timestamp", "rule": "out_of_range"} in notes


def test_a_message_that_a_collector_has_settled_is_not_corrected_again() -> None:
    archived = {
        "originalTimestamp": "2020-01-01T00:00:00+00:00",
        "sentAt": "2020-01-01T00:00:05Z",
        "timestamp": "2020-01-01T00:00:02Z",
        "receivedAt": "2020-01-01T00:00:07Z",
    }
    found, notes = settled(archived, batch_sent="2024-05-06T07:08:09.000Z")
    assert found == {
        "originalTimestamp": "2020-01-01T00:00:00.000Z",
        "sentAt": "2020-01-01T00:00:05.000Z",
        "timestamp": "2020-01-01T00:00:02.000Z",
        "receivedAt": RECEIVED,
    }
    assert notes == []


def test_receiving_time_is_ours_whatever_the_client_says() -> None:
    found, _ = settled({"timestamp": "2020-01-01T00:00:00.000Z", "receivedAt": "2001-01-01T00:00:00.000Z"})
    assert found["receivedAt"] == RECEIVED


@pytest.mark.parametrize("absent", [None, ""])
def test_an_absent_sending_time_says_nothing(absent: object) -> None:
    assert sending(absent, 0) == Sending()
    assert "sentAt" not in settled({"sentAt": absent})[0]
