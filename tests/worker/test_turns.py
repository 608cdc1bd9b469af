"""Whose turn it is at one destination."""

import pytest

from worker.turns import LIVE_IN_A_ROW, Turn, Turns


@pytest.fixture
def turns() -> Turns:
    return Turns()


def test_live_messages_come_before_what_can_wait_whoever_asked_first(turns: Turns) -> None:
    for partition in range(8):
        turns.add_later(partition)
    turns.add(5)
    assert turns.take() == Turn(5, owed=0)
    assert turns.take() == Turn(0, owed=1)


def test_among_their_like_partitions_take_turns(turns: Turns) -> None:
    for partition in (3, 1, 2):
        turns.add(partition)
    assert [turns.take().partition for _ in range(3)] == [3, 1, 2]
    for partition in (3, 1, 2):
        turns.add_later(partition)
    assert [turns.take().partition for _ in range(3)] == [3, 1, 2]


def test_a_partition_has_one_turn_however_often_it_was_asked_for(turns: Turns) -> None:
    for _ in range(3):
        turns.add(1)
        turns.add_later(2)
    assert [turns.take().partition for _ in range(2)] == [1, 2]
    assert not turns


def test_without_an_end_of_live_messages_every_partition_that_can_wait_has_its_turn(turns: Turns) -> None:
    for partition in (6, 7):
        turns.add_later(partition)
    taken = []
    for _ in range(2 * (LIVE_IN_A_ROW + 1)):
        for partition in range(8):
            turns.add(partition)  # 6 and 7 have live messages too, and lose no place by that
        taken.append(turns.take())
    assert [turn for turn in taken if turn.owed] == [Turn(6, owed=1), Turn(7, owed=1)]
    assert [number for number, turn in enumerate(taken) if turn.owed] == [4, 9]


def test_the_turn_of_what_can_wait_is_its_live_messages_turn_too(turns: Turns) -> None:
    turns.add_later(1)
    turns.add(1)
    assert turns.take() == Turn(1, owed=0)
    assert turns.take() == Turn(1, owed=1), "what could wait has not been carried for sure"
    turns.add_later(1)
    for partition in (2, 3, 4, 5, 1):
        turns.add(partition)
    assert [turns.take() for _ in range(LIVE_IN_A_ROW)] == [Turn(partition, owed=0) for partition in (2, 3, 4, 5)]
    assert turns.take() == Turn(1, owed=1)
    assert not turns
