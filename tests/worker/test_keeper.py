"""Keeping the lease in hand alive."""

from collections.abc import Callable

import redis

from tests.waiting import eventually
from worker.keeper import Keeper
from worker.log import Lease

LEASE = Lease(0, "hook", "1:w", 0)


class Renewals:
    """Notes what is renewed; fails at first, if asked to."""

    def __init__(self, *, failures: int = 0) -> None:
        self.seen: list[Lease] = []
        self.failures = failures
        self.enough: Callable[[], bool] = lambda: len(self.seen) >= 3

    def __call__(self, lease: Lease) -> bool:
        self.seen.append(lease)
        if len(self.seen) <= self.failures:
            raise redis.exceptions.ConnectionError("away")
        return True


def test_the_lease_in_hand_is_renewed_again_and_again() -> None:
    renewals = Renewals()
    keeper = Keeper(renewals, interval=0.002)
    with keeper.holding(LEASE):
        eventually(renewals.enough)
    keeper.close()
    assert set(map(id, renewals.seen)) == {id(LEASE)}


def test_a_server_that_is_away_does_not_end_the_keeping() -> None:
    renewals = Renewals(failures=2)
    keeper = Keeper(renewals, interval=0.002)
    with keeper.holding(LEASE):
        eventually(renewals.enough)
    keeper.close()


def test_nothing_is_renewed_before_or_after() -> None:
    renewals = Renewals()
    keeper = Keeper(renewals, interval=0.0005)
    with keeper.holding(LEASE):
        eventually(renewals.enough)
    other = Lease(1, "hook", "2:w", 0)
    before = len(renewals.seen)
    with keeper.holding(other):
        eventually(lambda: renewals.seen[-1] is other)
    keeper.close()
    # One renewal of the first may have been under way when it was let go.
    assert renewals.seen[before + 1 :].count(LEASE) == 0


def test_a_lease_is_let_go_also_when_the_drain_fails() -> None:
    renewals = Renewals()
    keeper = Keeper(renewals, interval=60.0)
    try:
        with keeper.holding(LEASE):
            raise ValueError
    except ValueError:
        assert not keeper._held
    keeper.close()
