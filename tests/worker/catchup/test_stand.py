"""Where a destination stood when it was detached."""

import pytest

from worker.catchup.stand import stand_of
from worker.story import sortable

STAND = stand_of("1700000000000-12 1700000000000-9/* 1700000000000-11/0,4")


@pytest.mark.parametrize("place", ["0000-9/0", "0000-9/7", "0000-11/4", "0001-0/0"])
def test_it_wants_what_it_had_not_finished_and_what_came_since(place: str) -> None:
    assert STAND.wants(f"170000000{place}")


@pytest.mark.parametrize("place", ["0000-8/0", "0000-10/0", "0000-11/1", "0000-12/3"])
def test_it_does_not_want_what_it_had(place: str) -> None:
    assert not STAND.wants(f"170000000{place}")


def test_it_begins_before_the_first_message_that_it_had_not_finished() -> None:
    assert sortable("1700000000000-8/99") < STAND.begins() < sortable("1700000000000-9/0")


def test_with_nothing_unfinished_it_begins_after_the_last_entry() -> None:
    stand = stand_of("1700000000000-12")
    assert sortable("1700000000000-12/99") < stand.begins() < sortable("1700000000000-13/0")
