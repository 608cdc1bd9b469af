"""What a batch's outcomes do to its entries."""

from collections.abc import Sequence

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from destinations.outcome import Deferred, Delivered, Filtered, Outcome, Rejected
from tests.worker.rig import envelope
from worker.retry import RetryPolicy
from worker.settle import Moment, Parcel, Settlement, settle

POLICY = RetryPolicy(first=8.0, factor=2.0, longest=600.0, horizon=100.0)
NOW_MS = 1_000_000
NOT_TRIED = Deferred("an earlier one failed", after=0.0)


def settled(*entries: Sequence[Outcome], attempts: int = 0, age: float = 1.0, now_ms: int = NOW_MS) -> Settlement:
    """Entries of so many seconds of age, each with the outcomes of its messages."""
    ids = [f"{int(now_ms - age * 1000)}-{number}" for number in range(len(entries))]
    results = [
        (Parcel(entry, number, envelope(f"{entry}/{number}")), outcome)
        for entry, outcomes in zip(ids, entries, strict=True)
        for number, outcome in enumerate(outcomes)
    ]
    moment = Moment(destination="hook", now_ms=now_ms, attempts=attempts, chance=0.5)
    return settle(ids, results, POLICY, moment)


def test_a_delivered_entry_is_finished() -> None:
    assert settled([Delivered(), Delivered()]) == Settlement(finished=("999000-0",), delivered=2)


def test_a_filtered_message_is_finished_and_counted_apart() -> None:
    assert settled([Filtered("off"), Delivered()]) == Settlement(finished=("999000-0",), delivered=1, filtered=1)


def test_a_rejected_message_becomes_a_dead_letter_with_its_reason() -> None:
    found = settled([Rejected("no such list", code="404")], attempts=2)
    letter = msgspec.json.decode(found.letters[0])
    assert found.finished == ("999000-0",)
    assert (letter["reason"], letter["code"], letter["attempts"]) == ("no such list", "404", 3)
    assert (letter["source"], letter["destination"], letter["diedAtMs"]) == ("web", "hook", NOW_MS)
    assert letter["messageId"] == letter["message"]["messageId"] == "999000-0/0"


def test_a_rejected_message_costs_the_destination_no_pause() -> None:
    found = settled([Rejected("bad")], attempts=3)
    assert (found.pause_ms, found.attempts) == (0, 0)


def test_a_deferred_entry_stays_and_the_destination_pauses() -> None:
    found = settled([Deferred("503")])
    assert found.finished == ()
    assert found.unfinished == (("999000-0", (0,)),)
    assert (found.pause_ms, found.attempts, found.reason) == (6_000, 1, "503")


def test_the_pause_grows_with_each_failed_attempt() -> None:
    assert [settled([Deferred("503")], attempts=done).pause_ms for done in range(4)] == [6_000, 12_000, 24_000, 48_000]


def test_what_the_destination_asks_for_wins_over_the_schedule() -> None:
    assert settled([Deferred("429", after=17.0)]).pause_ms == 17_000


def test_the_longest_of_several_wishes_counts() -> None:
    assert settled([Deferred("429", after=2.0), Deferred("429", after=5.0), Deferred("503")]).pause_ms == 5_000


def test_nobody_can_ask_for_more_than_an_hour() -> None:
    assert settled([Deferred("429", after=1e9)]).pause_ms == 3_600_000


def test_a_pause_is_never_rounded_to_none() -> None:
    assert settled([Deferred("429", after=0.0001)]).pause_ms == 1


def test_only_the_messages_that_are_left_of_an_entry_stay() -> None:
    found = settled([Delivered(), Deferred("503"), Rejected("bad"), NOT_TRIED], [Delivered()])
    assert found.unfinished == (("999000-0", (1, 3)),)
    assert found.finished == ("999000-1",)
    assert (found.delivered, len(found.letters)) == (2, 1)


def test_what_was_not_tried_costs_no_attempt_and_no_pause() -> None:
    found = settled([Delivered(), NOT_TRIED], attempts=4)
    assert (found.attempts, found.pause_ms, found.reason) == (4, 0, "")
    assert found.unfinished == (("999000-0", (1,)),)


def test_one_success_of_a_whole_batch_forgets_earlier_attempts() -> None:
    assert settled([Delivered()], attempts=7).attempts == 0


def test_after_the_horizon_a_failure_is_a_dead_letter() -> None:
    found = settled([Deferred("503")], age=101.0)
    assert found.finished == ("899000-0",)
    assert msgspec.json.decode(found.letters[0])["code"] == "expired"
    assert found.pause_ms == 0


def test_before_the_horizon_it_is_not() -> None:
    assert settled([Deferred("503")], age=99.0).letters == ()


def test_what_was_not_tried_does_not_expire() -> None:
    found = settled([NOT_TRIED], age=101.0)
    assert (found.letters, found.unfinished) == ((), (("899000-0", (0,)),))


def test_an_entry_without_messages_is_finished() -> None:
    assert settled([], [Delivered()]).finished == ("999000-0", "999000-1")


OUTCOMES = st.one_of(
    st.just(Delivered()),
    st.just(Filtered("off")),
    st.builds(Rejected, st.text(max_size=5), st.text(max_size=5)),
    st.builds(Deferred, st.just("later"), st.one_of(st.none(), st.just(0.0), st.floats(0.01, 1e6))),
)


@given(
    entries=st.lists(st.lists(OUTCOMES, max_size=5), min_size=1, max_size=6),
    attempts=st.integers(0, 10_000),
    age=st.floats(0, 200),
)
def test_every_message_ends_in_exactly_one_place(entries: list[list[Outcome]], attempts: int, age: float) -> None:
    found = settled(*entries, attempts=attempts, age=age)
    left = {entry: set(numbers) for entry, numbers in found.unfinished}
    places = found.delivered + found.filtered + len(found.letters) + sum(map(len, left.values()))
    assert places == sum(map(len, entries))
    for number, outcomes in enumerate(entries):
        entry = f"{int(NOW_MS - age * 1000)}-{number}"
        later = {at for at, outcome in enumerate(outcomes) if isinstance(outcome, Deferred)}
        assert left.get(entry, set()) <= later, "only what was deferred stays"
        assert (entry in found.finished) == (entry not in left), "acknowledged if, and only if, nothing is left"
    assert (found.pause_ms > 0) == bool(found.reason), "a pause has a reason"
