"""One fault tried on a running Turnout: the load meanwhile, the time until all is well again, and the proof."""

import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.faults.report import Row
from tests.faults.scenarios import SCENARIOS
from tests.faults.town import BATCH, DESTINATIONS, Town
from tests.ledger import Findings, Ledger, compare
from tests.waiting import eventually

RECOVERS_WITHIN = 30.0

_numbers = itertools.count()


class Trial:
    """`with trial.load(): ...` then `trial.prove()`."""

    def __init__(self, scenario: str, town: Town, add: Callable[[Row], None]) -> None:
        self.scenario = scenario
        self.town = town
        self._add = add
        self._received = town.counts("received")
        self._dead = self._deaths()
        self._recovery: float | None = None
        self.ledger = Ledger(town.turnout)

    def load(self, **options: Any) -> Ledger:
        """A client that posts as long as it is entered; its users are called after the scenario."""
        name = f"{self.scenario.lower()}x{next(_numbers)}"
        usual: dict[str, Any] = {"name": name, "threads": 2, "pause": 0.08}
        self.ledger = Ledger(self.town.turnout, **usual | options)
        return self.ledger

    def over(self) -> float:
        """The fault has ended: wait until all that was accepted by now has arrived, and something new is accepted."""
        owed, began, size = self.ledger.ids(), time.monotonic(), self.ledger.size()
        eventually(lambda: self.ledger.size() > size, within=RECOVERS_WITHIN, what="a new message was accepted")
        eventually(lambda: self._arrived(owed), within=RECOVERS_WITHIN, what="what was owed arrived")
        took = time.monotonic() - began
        self._recovery = max(self._recovery or 0.0, took)
        return took

    def _arrived(self, owed: set[str]) -> bool:
        return owed <= {message["messageId"] for message in self.town.at_hook()}

    def prove(self, *, repeats: int = 0, archive_in_order: bool = True) -> Findings:
        """Once it is quiet: nothing lost, nothing invented, nobody out of order, at most `repeats` at a destination."""
        self.quiet()
        found = {name: compare(self.ledger, messages) for name, messages in self.town.arrivals().items()}
        if not archive_in_order:
            found["archive"] = replace(found["archive"], disordered=0)
        worst = Findings(
            messages=self.ledger.size(),
            lost=max(one.lost for one in found.values()),
            invented=max(one.invented for one in found.values()),
            doubled=max(one.doubled for one in found.values()),
            disordered=max(one.disordered for one in found.values()),
        )
        self.tell(worst)
        assert worst.messages > 0, "nothing was accepted: nothing is proven"
        assert (worst.lost, worst.invented, worst.disordered) == (0, 0, 0), found
        assert worst.doubled <= repeats, found
        received, before = self.town.counts("received"), self._received
        self._received = received  # what comes later belongs to another proof
        assert received - before == worst.messages, "a message is twice in the log"
        assert self._deaths() == self._dead, "a message died that nobody refused"
        return worst

    def quiet(self, within: float = 60.0) -> None:
        """Wait until all that was accepted came into the log, and nothing there is left to do."""
        size = self.ledger.size()

        def settled() -> bool:
            unsettled = self.town.unsettled()
            assert not unsettled, unsettled
            return self.town.counts("received") - self._received >= size

        eventually(settled, within=within, what="everything was settled")

    def tell(self, found: Findings) -> None:
        fault = SCENARIOS[self.scenario].fault
        self._add(
            Row(self.scenario, fault, found.messages, found.lost, found.doubled, found.disordered, self._recovery)
        )

    def _deaths(self) -> int:
        return sum(self.town.counts(f"dead:{name}") for name in DESTINATIONS)


IN_HAND = 2 * BATCH * 8
"""How many deliveries one kill may double at most: a batch of each worker process, for the file up to eight."""
