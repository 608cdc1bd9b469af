"""When a destination is tried again."""

from hypothesis import given
from hypothesis import strategies as st

from worker.retry import RetryPolicy

POLICY = RetryPolicy(first=1.0, factor=2.0, longest=600.0)


def test_the_waits_double_up_to_the_longest() -> None:
    waits = [POLICY.delay(attempt, chance=1.0) for attempt in (1, 2, 3, 4, 10, 11, 12, 1_000_000)]
    assert waits == [1, 2, 4, 8, 512, 600, 600, 600]


def test_chance_spreads_a_wait_over_its_second_half() -> None:
    assert (POLICY.delay(4, chance=0.0), POLICY.delay(4, chance=0.5)) == (4.0, 6.0)


def test_a_wish_of_the_destination_is_kept_to_the_letter() -> None:
    assert POLICY.wait(9, 0.3, asked=1.25) == 1.25


def test_a_wish_for_nothing_is_no_wish() -> None:
    assert POLICY.wait(1, 1.0, asked=0.0) == POLICY.wait(1, 1.0, asked=None) == 1.0
    assert POLICY.wait(1, 1.0, asked=-5.0) == 1.0


@given(
    first=st.floats(0.001, 1e6),
    factor=st.floats(1.0, 1e12),
    longest=st.floats(0.001, 1e6),
    attempt=st.integers(1, 10**9),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_no_settings_lead_to_no_wait_or_to_too_long_a_one(
    first: float, factor: float, longest: float, attempt: int, chance: float
) -> None:
    wait = RetryPolicy(first=first, factor=factor, longest=longest).delay(attempt, chance)
    assert min(first, longest) / 2 <= wait <= longest
