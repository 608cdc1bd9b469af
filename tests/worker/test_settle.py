"""What a batch's outcomes do to its entries."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from destinations.adapter import Order
from destinations.outcome import Deferred, Delivered, Exchange, Filtered, Outcome, Rejected, Scope
from schemas.envelope import Envelope, decode_head
from tests.worker.rig import body
from worker.parcel import Parcel, parcel_of
from worker.retry import RetryPolicy
from worker.settle import Moment, Settlement, settle, settle_lanes
from worker.story import Passage
from worker.verdict import Behind, GoOn, Out, Result

POLICY = RetryPolicy(first=8.0, factor=2.0, longest=600.0, horizon=100.0, attempts=3)
NOW_MS = 1_000_000
NOT_TRIED = Deferred("an earlier one failed", after=0.0)
BUSY = Deferred("503", scope="message")
CUT = Deferred("no answer", scope="destination")
BARRED = Deferred("401", scope="settings")
BUG = Deferred("the adapter raised", scope="adapter")


def parcel(entry: str, number: int, user: str, **known: Any) -> Parcel:
    stored = body(f"{entry}/{number}", user=user)
    head = decode_head(stored)
    envelope = Envelope(source="web", body=stored, head=head, lane="p00", position=f"{entry}/{number}")
    received_ms = int(entry.partition("-")[0])
    return Parcel(line="web", entry=entry, number=number, envelope=envelope, received_ms=received_ms, **known)


def settled(
    *entries: Sequence[Result], age: float = 1.0, now_ms: int = NOW_MS, users: str = "", **moment: Any
) -> Settlement:
    """Entries of so many seconds of age, each with the outcomes of its messages; each message has a user of its own,
    or the users are called by one letter each."""
    ids = [f"{int(now_ms - age * 1000)}-{number}" for number in range(len(entries))]
    places = [(entry, number) for entry, outcomes in zip(ids, entries, strict=True) for number in range(len(outcomes))]
    names = users or [f"{entry}/{number}" for entry, number in places]
    parcels = [parcel(entry, number, user) for (entry, number), user in zip(places, names, strict=True)]
    results = [outcome for outcomes in entries for outcome in outcomes]
    known = Moment(**{"destination": "hook", "now_ms": now_ms, "chance": 0.5, **moment})
    return settle(ids, list(zip(parcels, results, strict=True)), POLICY, known)


def letters(found: Settlement) -> list[dict[str, Any]]:
    return [msgspec.json.decode(letter) for letter in found.letters]


def told(found: Settlement) -> Passage:
    (passage,) = found.passages
    return msgspec.json.decode(passage, type=Passage)


def counted(found: Settlement) -> dict[str, int]:
    return {ended: number for _, ended, number in found.counts}


def waits(found: Settlement) -> list[int]:
    return [aside.wait_ms for aside in found.asides]


# what ends


def test_a_delivered_entry_is_finished() -> None:
    found = settled([Delivered(), Delivered()])
    assert (found.finished, found.unfinished, found.counts) == (("999000-0",), (), (("web", "delivered", 2),))


def test_a_filtered_message_is_finished_and_counted_apart() -> None:
    found = settled([Filtered("off"), Delivered()])
    assert (found.finished, counted(found)) == (("999000-0",), {"delivered": 1, "filtered": 1})


def test_a_rejected_message_becomes_a_dead_letter_that_tells_all_about_it() -> None:
    found = settled([Rejected("no such list", code="404", exchange=Exchange("POST /", "404 Not found"))])
    (letter,) = letters(found)
    assert found.finished == ("999000-0",)
    assert (letter["reason"], letter["code"], letter["attempts"]) == ("no such list", "404", 1)
    assert (letter["source"], letter["line"], letter["destination"]) == ("web", "web", "hook")
    assert (letter["position"], letter["diedAtMs"], letter["firstFailedAtMs"]) == ("999000-0/0", NOW_MS, 0)
    assert (letter["user"], letter["type"], letter["event"]) == ("999000-0/0", "track", "E")
    assert (letter["request"], letter["answer"], letter["trail"]) == ("POST /", "404 Not found", [])
    assert letter["messageId"] == letter["message"]["messageId"] == "999000-0/0"
    assert letter["receivedAt"] == "2024-02-29T12:00:00.000Z"


def test_an_entry_without_messages_is_finished() -> None:
    assert settled([], [Delivered()]).finished == ("999000-0", "999000-1")


def test_a_replay_has_accounts_of_its_own_and_a_retried_letter_those_of_its_source() -> None:
    for line, account in (("web~r5f3a~hook", "web~r5f3a~hook"), ("web~retry~hook", "web"), ("web~catchup~hook", "web")):
        one = msgspec.structs.replace(parcel("5-0", 0, "u"), line=line)
        moment = Moment(destination="hook", now_ms=NOW_MS, chance=0.5)
        assert settle(["5-0"], [(one, Delivered())], POLICY, moment).counts == ((account, "delivered", 1),)


# some fail


def test_a_message_that_fails_beside_others_that_do_not_steps_aside_alone() -> None:
    found = settled([Delivered(), BUSY, Rejected("bad")], [Delivered()])
    assert found.finished == ("999000-0", "999000-1")
    assert found.unfinished == ()
    (aside,) = found.asides
    assert parcel_of(0, aside.lane, aside.put).envelope.position == "999000-0/1"
    assert aside.wait_ms == 6_000
    assert found.verdict == GoOn(row=0, worked=True)


def test_it_takes_the_later_messages_of_its_user_along() -> None:
    found = settled([Delivered(), BUSY, NOT_TRIED, Delivered(), NOT_TRIED], users="xyyxz")
    assert waits(found) == [6_000, -1]
    assert found.asides[0].lane == found.asides[1].lane
    assert found.unfinished == (("999000-0", (4,)),), "of others, what was not tried stays in the log"


def test_where_order_does_not_matter_it_goes_alone() -> None:
    found = settled([Delivered(), BUSY, NOT_TRIED], users="xyy", order="none")
    assert [aside.lane for aside in found.asides] == ["web/999000-0/1"]
    assert found.unfinished == (("999000-0", (2,)),)


def test_what_comes_behind_an_earlier_message_goes_to_its_lane_untried() -> None:
    found = settled([Behind(), Delivered()])
    assert (waits(found), found.finished) == ([-1], ("999000-0",))
    assert parcel_of(0, "x", found.asides[0].put).attempts == 0


def test_nothing_steps_aside_past_an_earlier_message_of_its_user() -> None:
    found = settled([Delivered(), NOT_TRIED, BUSY, Behind()], users="xyyy")
    assert (found.asides, found.unfinished) == ((), (("999000-0", (1, 2, 3)),))


def test_a_message_is_tried_again_when_it_asked_to_be() -> None:
    assert waits(settled([Delivered(), Deferred("x", after=17.0), Deferred("y", after=1e9)])) == [17_000, 3_600_000]


def test_its_waits_grow_with_its_own_attempts() -> None:
    known = Moment(destination="hook", now_ms=NOW_MS, chance=0.5)
    for tried, wait in ((0, 6_000), (1, 12_000), (5, 192_000)):
        one = parcel("999000-0", 0, "u", lane="lane", attempts=tried)
        (rest,) = settle_lanes([(one, BUSY)], POLICY, known).rests
        assert rest.wait_ms == wait
        assert parcel_of(0, "lane", rest.puts[0]).attempts == tried + 1


def test_a_failure_is_remembered_with_the_message_and_of_many_the_last_twenty() -> None:
    one = parcel("999000-0", 0, "u", lane="lane")
    for number in range(25):
        moment = Moment(destination="hook", now_ms=NOW_MS + number, chance=0.5)
        (rest,) = settle_lanes([(one, Deferred(f"no. {number}"))], POLICY, moment).rests
        one = parcel_of(0, "lane", rest.puts[0])
    assert (one.attempts, one.first_failed_ms, len(one.trail)) == (25, NOW_MS, 20)
    assert (one.trail[-1].reason, one.trail[-1].attempt, one.trail[-1].at_ms) == ("no. 24", 25, NOW_MS + 24)


def test_a_few_that_fail_alone_step_aside_and_are_counted() -> None:
    found = settled([BUSY, BUSY], row=2)
    assert (len(found.asides), found.verdict) == (2, GoOn(row=4))


def test_without_room_in_the_lanes_the_destination_is_out_and_what_failed_stays() -> None:
    found = settled([Delivered(), BUSY, BUSY, BUG, Behind()], room=3)
    assert found.unfinished == (("999000-0", (1, 2, 3, 4)),)
    assert found.asides == ()
    assert isinstance(found.verdict, Out)
    assert "no room" in found.verdict.reason
    assert len(settled([Delivered(), BUSY, BUSY, BUG, Behind()], room=4).asides) == 4


# the destination fails


@pytest.mark.parametrize(
    ("outcome", "scope"), [(CUT, "destination"), (BARRED, "settings")], ids=["destination", "settings"]
)
def test_a_failure_of_the_destination_keeps_what_failed_where_it_is(outcome: Deferred, scope: Scope) -> None:
    found = settled([outcome, NOT_TRIED])
    assert (found.finished, found.unfinished, found.asides) == ((), (("999000-0", (0, 1)),), ())
    assert found.verdict == Out(attempts=1, pause_ms=6_000, reason=outcome.reason, scope=scope)  # type: ignore[arg-type]  # two of the scopes


def test_five_failures_in_a_row_are_the_destinations() -> None:
    found = settled([BUSY], row=4)
    assert (found.unfinished, found.asides) == ((("999000-0", (0,)),), ())
    assert isinstance(found.verdict, Out)
    assert found.verdict.row == 5
    assert isinstance(settled([BUSY] * 5).verdict, Out)


def test_one_success_ends_the_row() -> None:
    assert settled([Delivered()], row=4).verdict == GoOn(row=0, worked=True)
    assert settled([BUSY] * 9 + [Rejected("bad")], row=4).verdict.row == 0


def test_what_is_only_filtered_says_nothing_about_the_destination() -> None:
    assert settled([Filtered("off")], row=4).verdict == GoOn(row=4)


def test_the_pause_grows_with_each_attempt_of_the_destination() -> None:
    pauses = [settled([CUT], attempts=done).verdict for done in range(4)]
    assert [pause.pause_ms for pause in pauses if isinstance(pause, Out)] == [6_000, 12_000, 24_000, 48_000]


def test_a_destination_that_took_something_in_between_begins_anew() -> None:
    verdict = settled([Delivered(), CUT], attempts=7).verdict
    assert isinstance(verdict, Out)
    assert (verdict.attempts, verdict.pause_ms) == (1, 6_000)


@pytest.mark.parametrize(("after", "pause_ms"), [(17.0, 17_000), (1e9, 3_600_000), (0.0001, 1), (-1.0, 6_000)])
def test_what_the_destination_asks_for_wins_over_the_schedule(after: float, pause_ms: int) -> None:
    verdict = settled([CUT, Deferred("429", after, "destination")]).verdict
    assert isinstance(verdict, Out)
    assert verdict.pause_ms == pause_ms


def test_refused_credentials_beside_a_success_are_about_one_message() -> None:
    found = settled([Delivered(), BARRED])
    assert (found.verdict, len(found.asides)) == (GoOn(row=0, worked=True), 1)


def test_while_probing_a_success_shows_that_the_destination_is_back() -> None:
    found = settled([Delivered(), CUT, BUSY], probing=True, attempts=3)
    assert (found.verdict, len(found.asides)) == (GoOn(row=0, worked=True), 2)


def test_while_probing_a_single_failure_is_enough_to_wait_longer() -> None:
    verdict = settled([BUSY], probing=True, attempts=3).verdict
    assert isinstance(verdict, Out)
    assert verdict.attempts == 4


def test_what_was_not_tried_is_no_failure() -> None:
    found = settled([Delivered(), NOT_TRIED])
    assert found.verdict == GoOn(row=0, worked=True)
    assert found.unfinished == (("999000-0", (1,)),)


def test_where_nothing_may_overtake_anything_nothing_steps_aside() -> None:
    for outcome in (BUSY, CUT, BARRED, BUG):
        found = settled([Delivered(), outcome, NOT_TRIED], order="line")
        assert (found.asides, found.unfinished) == ((), (("999000-0", (1, 2)),))
        assert isinstance(found.verdict, Out)


# retry lanes


def lane_settled(*outcomes: Result, **moment: Any) -> Settlement:
    """The first messages of one lane."""
    parcels = [parcel("999000-0", number, "u", lane="lane", attempts=1) for number in range(len(outcomes))]
    known = Moment(**{"destination": "hook", "now_ms": NOW_MS, "chance": 0.5, **moment})
    return settle_lanes(list(zip(parcels, outcomes, strict=True)), POLICY, known)


def test_what_got_through_leaves_its_lane() -> None:
    (rest,) = lane_settled(Delivered(), Delivered()).rests
    assert (rest.taken, rest.puts) == (2, ())


def test_what_fails_again_stays_first_in_its_lane_and_waits_longer() -> None:
    (rest,) = lane_settled(Delivered(), BUSY, NOT_TRIED).rests
    assert (rest.taken, rest.wait_ms) == (3, 12_000)
    left = [parcel_of(0, "lane", put) for put in rest.puts]
    assert [(one.number, one.attempts) for one in left] == [(1, 2), (2, 1)]


def test_what_could_not_be_tried_in_a_lane_stays_due() -> None:
    (rest,) = lane_settled(NOT_TRIED, NOT_TRIED).rests
    assert (rest.wait_ms, len(rest.puts)) == (0, 2)


def test_failures_in_the_lanes_do_not_add_up_to_an_outage() -> None:
    assert lane_settled(BUSY, BUSY, BUSY, BUSY, BUSY, BUSY, row=3).verdict == GoOn(row=3)
    assert isinstance(lane_settled(CUT).verdict, Out)


def test_a_lane_of_a_destination_that_is_out_stays_due() -> None:
    (rest,) = lane_settled(CUT, NOT_TRIED).rests
    assert (rest.wait_ms, len(rest.puts)) == (0, 2)


# giving up


def test_after_the_horizon_a_failure_is_a_dead_letter() -> None:
    for outcome in (BUSY, CUT, BARRED, BUG):
        found = settled([outcome, Delivered()], age=101.0)
        assert (found.finished, found.asides, found.dead) == (("899000-0",), (), 0)
        assert [letter["code"] for letter in letters(found)] == ["expired"]


def test_before_the_horizon_it_is_not() -> None:
    assert settled([BUSY], age=99.0).letters == ()


def test_what_was_not_tried_does_not_expire() -> None:
    found = settled([NOT_TRIED], age=101.0)
    assert (found.letters, found.unfinished) == ((), (("899000-0", (0,)),))


def test_a_message_aside_expires_by_the_time_it_came() -> None:
    old = msgspec.structs.replace(parcel("999000-0", 0, "u", lane="lane"), received_ms=NOW_MS - 101_000)
    found = settle_lanes([(old, BUSY)], POLICY, Moment(destination="hook", now_ms=NOW_MS, chance=0.5))
    assert [letter["code"] for letter in letters(found)] == ["expired"]
    assert found.rests[0].puts == ()


def test_an_adapters_mistakes_use_up_the_attempts_of_a_message() -> None:
    one = parcel("999000-0", 0, "u", lane="lane", attempts=7, bugs=1)
    moment = Moment(destination="hook", now_ms=NOW_MS, chance=0.5)
    (rest,) = settle_lanes([(one, BUG)], POLICY, moment).rests
    again = parcel_of(0, "lane", rest.puts[0])
    found = settle_lanes([(again, BUG)], POLICY, moment)
    assert [(letter["code"], letter["attempts"]) for letter in letters(found)] == [("adapter_error", 9)]
    assert found.dead == 1
    assert letters(found)[0]["trail"][-1] == {"atMs": NOW_MS, "attempt": 9, "reason": "the adapter raised"}


def test_other_failures_do_not_use_up_attempts() -> None:
    one = parcel("999000-0", 0, "u", lane="lane", attempts=1_000, bugs=2)
    found = settle_lanes([(one, BUSY)], POLICY, Moment(destination="hook", now_ms=NOW_MS, chance=0.5))
    assert found.letters == ()


def test_even_where_nothing_steps_aside_an_adapters_mistakes_come_to_an_end() -> None:
    assert settled([BUG], order="line", attempts=1).letters == ()
    one = parcel("999000-0", 0, "u", attempts=2)
    moment = Moment(destination="hook", now_ms=NOW_MS, chance=0.5, order="line")
    found = settle(["999000-0"], [(one, BUG)], POLICY, moment)
    assert [letter["code"] for letter in letters(found)] == ["adapter_error"]


# the story


def test_a_batch_in_one_piece_is_told_by_its_ends() -> None:
    passage = told(settled([Delivered(), Delivered()], [Delivered()], spanning=True, owner="w1", took_ms=7))
    assert (passage.first, passage.last) == ("999000-0/0", "999000-1/0")
    (part,) = passage.parts
    assert (part.fate, part.attempt, part.positions) == ("delivered", 1, None)
    assert (passage.line, passage.destination, passage.owner, passage.took_ms) == ("web", "hook", "w1", 7)


def test_what_fared_otherwise_is_named() -> None:
    said = Exchange("POST /", "503")
    passage = told(
        settled([Delivered(), Deferred("503", exchange=said), Delivered(), Rejected("bad", "400")], spanning=True)
    )
    fates = {part.fate: part for part in passage.parts}
    assert fates["delivered"].positions is None
    assert fates["aside"].positions == ("999000-0/1",)
    assert (fates["aside"].due_ms, fates["aside"].exchange) == (NOW_MS + 6_000, said)
    assert (fates["dead"].positions, fates["dead"].code) == (("999000-0/3",), "400")


def test_what_was_not_tried_is_not_told() -> None:
    passage = told(settled([Delivered(), Delivered(), NOT_TRIED], spanning=True))
    assert (passage.first, passage.last) == ("999000-0/0", "999000-0/1")
    gap = told(settled([Delivered(), NOT_TRIED, Delivered()], spanning=True))
    assert (gap.first, gap.parts[0].positions) == ("", ("999000-0/0", "999000-0/2"))
    assert settled([NOT_TRIED]).passages == ()


def test_what_is_read_again_is_named_one_by_one() -> None:
    passage = told(settled([Delivered(), CUT]))
    assert (passage.first, passage.last) == ("", "")
    assert [(part.fate, part.positions) for part in passage.parts] == [
        ("delivered", ("999000-0/0",)),
        ("failed", ("999000-0/1",)),
    ]


def test_of_many_exchanges_ten_are_kept() -> None:
    many = [Rejected(f"bad {number}", exchange=Exchange(str(number))) for number in range(30)]
    passage = told(settled(many, spanning=True))
    assert sum(part.exchange is not None for part in passage.parts) == 10


OUTCOMES = st.one_of(
    st.just(Delivered()),
    st.just(Filtered("off")),
    st.builds(Rejected, st.text(max_size=5), st.text(max_size=5)),
    st.builds(Deferred, st.just("later"), st.one_of(st.none(), st.just(0.0), st.floats(0.01, 1e6))),
)


SCOPES: tuple[Scope, ...] = ("message", "destination", "settings", "adapter")
RESULTS = st.one_of(
    OUTCOMES,
    st.builds(Deferred, st.just("later"), st.just(None), st.sampled_from(SCOPES)),
    st.just(Behind()),
)
ORDERS: tuple[Order, ...] = ("line", "user", "none")


@given(
    entries=st.lists(st.lists(st.tuples(RESULTS, st.sampled_from("xyz")), max_size=5), min_size=1, max_size=6),
    age=st.floats(0, 200),
    order=st.sampled_from(ORDERS),
    attempts=st.integers(0, 10_000),
    room=st.integers(0, 5),
    probing=st.booleans(),
)
def test_every_message_ends_in_exactly_one_place(
    entries: list[list[tuple[Outcome, str]]], age: float, order: Order, attempts: int, room: int, probing: bool
) -> None:
    users = "".join(user for entry in entries for _, user in entry)
    outcomes = [[outcome for outcome, _ in entry] for entry in entries]
    found = settled(*outcomes, age=age, users=users, order=order, attempts=attempts, room=room, probing=probing, row=2)
    left = {entry: set(numbers) for entry, numbers in found.unfinished}
    places = sum(counted(found).values()) + len(found.asides) + sum(map(len, left.values()))
    assert places == len(users)
    assert counted(found).get("dead", 0) == len(found.letters)
    assert len(found.asides) <= room
    if order == "line":
        assert all(aside.wait_ms == -1 for aside in found.asides), "only what others were put before"
    for number in range(len(entries)):
        entry = f"{int(NOW_MS - age * 1000)}-{number}"
        assert (entry in found.finished) == (entry not in left), "acknowledged if, and only if, nothing is left"
    if isinstance(found.verdict, Out):
        assert found.verdict.pause_ms > 0
        assert found.verdict.reason
    if order == "user":
        stay = {(entry, number) for entry, numbers in left.items() for number in numbers}
        aside = {parcel_of(0, aside.lane, aside.put).envelope.position for aside in found.asides}
        for user in "xyz":
            mine = [
                (f"{int(NOW_MS - age * 1000)}-{at}", number)
                for at, entry in enumerate(entries)
                for number, (_, who) in enumerate(entry)
                if who == user
            ]
            waiting = [place in stay for place in mine if place in stay or f"{place[0]}/{place[1]}" in aside]
            assert waiting == sorted(waiting), "nobody steps aside past an earlier message of the same user that stays"
