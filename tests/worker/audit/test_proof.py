"""Each message has exactly one place."""

from hypothesis import given
from hypothesis import strategies as st

from worker.audit.proof import WAITING, Breach, Prover
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
)


@given(spans, st.sets(st.sampled_from(POSITIONS)), st.sets(st.sampled_from(POSITIONS)))
def test_a_position_is_right_when_one_end_covers_it_or_it_waits_but_not_both(
    told: list[Span], aside: set[str], accepted: set[str]
) -> None:
    waiting = Waiting(aside={position: Aside("u", 0, 0, 1) for position in aside})
    prover = Prover(iter(sorted(told, key=lambda span: span.first)), waiting, settled_ms=2)
    for position in sorted(accepted):
        ends = [span.fate for span in told if span.first <= position <= span.last]
        place = prover.place(position)
        if isinstance(place, Breach):
            assert len(ends) + (position in aside) != 1
        else:
            assert place == (ends[0] if ends else WAITING)
            assert len(ends) + (position in aside) == 1


def test_what_ended_while_the_audit_was_looking_may_still_be_listed_as_waiting() -> None:
    waiting = Waiting(exists=True, read_to="", ends=POSITIONS[-1])
    prover = Prover(iter([Span(POSITIONS[0], POSITIONS[0], "delivered", 5)]), waiting, settled_ms=5)
    assert prover.place(POSITIONS[0]) == "delivered"
