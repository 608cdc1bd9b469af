"""The list of what is tried in a browser, and what each case asks of its source."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.clients.browser.stage import Stage

Played = Callable[[Stage], None]


@dataclass(frozen=True)
class Case:
    play: Played
    source: str
    settings: str
    """More of the table of its source."""

    def __str__(self) -> str:
        return self.play.__name__


class Cases:
    """Those of one module, each listed where it is written: `case = Cases("segment")`, then `@case()`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.listed: list[Case] = []

    def __call__(self, settings: str = "") -> Callable[[Played], Played]:
        def listed(play: Played) -> Played:
            self.listed.append(Case(play, f"{self._name}-{len(self.listed)}", settings))
            return play

        return listed
