"""Each message has exactly one place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.audit.proof import WAITING, Breach, Died, Kept, Prover, after_death
from worker.stories.told import ENDS, Span
from worker.stories.waiting import Aside, Waiting

POSITIONS = [f"{number:015d}-0000000000/00000" for number in range(12)]

spans = st.lists(
    st.builds(
        lambda ends, fate: Span(POSITIONS[min(ends)], POSITIONS[max(ends)], fate, 1),
        st.tuples(st.integers(0, 11), st.integers(0, 11)),
        st.sampled_from(ENDS),
    ),
    max_size=8,
).map(lambda told: [Span(one.first, one.last, one.fate, 1, number) for number, one in enumerate(told)])


@given(spans, st.sets(st.sampled_from(POSITIONS)), st.sets(st.sampled_from(POSITIONS)))
def test_a_position_is_right_when_one_end_covers_it_or_it_waits_but_not_both(
    told: list[Span], aside: set[str], accepted: set[str]
) -> None:
    waiting = Waiting(aside={position: Aside("u", 0, 0, 1) for position in aside})
    prover = Prover(iter(sorted(told, key=lambda span: span.first)), waiting, settled_ms=2)
    for position in sorted(accepted):
        ends = tuple(span.fate for span in told if span.first <= position <= span.last)
        match prover.place(position):
            case Died() as died:
                assert (died.fates, died.waits) == (ends, position in aside)
                assert "dead" in ends
                assert set(ends[:-1]) <= {"dead"}
            case Breach():
                assert len(ends) + (position in aside) != 1
            case place:
                assert place == (ends[0] if ends else WAITING)
                assert len(ends) + (position in aside) == 1


def test_what_ended_while_the_audit_was_looking_may_still_be_listed_as_waiting() -> None:
    waiting = Waiting(exists=True, read_to="", ends=POSITIONS[-1])
    prover = Prover(iter([Span(POSITIONS[0], POSITIONS[0], "delivered", 5)]), waiting, settled_ms=5)
    assert prover.place(POSITIONS[0]) == "delivered"


def judged(*fates: str, waits: bool = False, letter: Kept | None, ended_ms: int = 1) -> str:
    """The place of a message that died, or what is wrong with it."""
    died = Died(POSITIONS[1], fates, waits, ended_ms)
    match after_death(died, letter, settled_ms=10, kept_since=POSITIONS[1]):
        case Breach(wrong=wrong):
            return wrong
        case place:
            return place


DEAD = Kept("dead", 1, 0)
SENT_AGAIN = Kept("retried", 1, 1)
DEAD_AGAIN = Kept("dead", 1, 1)


def test_one_that_died_is_dead_as_long_as_its_letter_is_there() -> None:
    assert judged("dead", letter=DEAD) == "dead"
    assert judged("dead", letter=None) == "letterless"


def test_one_that_was_sent_again_waits_until_it_ends_again() -> None:
    assert judged("dead", waits=True, letter=SENT_AGAIN) == "waiting"
    assert judged("dead", "delivered", letter=SENT_AGAIN) == "delivered"
    assert judged("dead", "filtered", letter=SENT_AGAIN) == "filtered"
    assert judged("dead", "dead", letter=DEAD_AGAIN) == "dead"


def test_one_that_was_sent_again_and_is_nowhere_is_lost() -> None:
    assert judged("dead", letter=SENT_AGAIN) == "lost"
    assert judged("dead", letter=Kept("retried", 10, 1)) == "dead", "it may be on its way since it was asked what waits"
    assert judged("dead", letter=Kept("retrying", 1, 1)) == "dead", "nobody has sent it yet"


@pytest.mark.parametrize("fates", [("dead", "delivered"), ("dead", "dead")])
def test_one_that_ended_again_though_nobody_sent_it_is_wrong(fates: tuple[str, ...]) -> None:
    assert judged(*fates, letter=DEAD) == "twice"


def test_one_that_is_dead_and_waits_though_nobody_sent_it_is_wrong() -> None:
    assert judged("dead", waits=True, letter=DEAD) == "both"
    assert judged("dead", waits=True, letter=DEAD, ended_ms=10) == "dead", "it has just ended"
    assert judged("dead", "delivered", waits=True, letter=SENT_AGAIN) == "both"


def test_the_letters_of_long_ago_may_be_forgotten() -> None:
    died = Died(POSITIONS[0], ("dead", "delivered"), waits=False, ended_ms=1)
    assert after_death(died, None, settled_ms=10, kept_since=POSITIONS[1]) == "delivered"


def test_one_that_was_sent_to_another_partition_ends_here_as_dead() -> None:
    assert judged("dead", letter=Kept("retried", 1, 1, away=True)) == "dead"
