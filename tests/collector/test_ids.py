"""Ids of messages that come without one."""

import uuid

from collector.ids import Ids


def test_each_is_greater_than_those_before_it_whatever_the_clock_does() -> None:
    times = [1_700_000_000.0, 1_700_000_000.0, 1_700_000_000.0, 1_700_000_001.5, 1_699_999_999.0, 1_700_000_002.0]
    left = iter([time for time in times for _ in range(100)])
    ids = Ids(lambda: next(left))
    made = [ids() for _ in range(600)]
    assert made == sorted(made)
    assert len(set(made)) == 600


def test_they_are_uuids_that_hold_their_time() -> None:
    made = uuid.UUID(Ids(lambda: 1_700_000_000.123)())
    assert (made.version, made.variant, made.int >> 80) == (7, uuid.RFC_4122, 1_700_000_000_123)


def test_two_collectors_do_not_make_the_same_one() -> None:
    assert Ids(lambda: 1.0)() != Ids(lambda: 1.0)()
