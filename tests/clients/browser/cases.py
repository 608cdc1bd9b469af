"""The list of what is tried in a browser, and what each case asks of its source."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tests.clients.browser.stage import Stage
from tests.clients.certificate import Client, Scenario

Played = Callable[[Stage], None]
AnyPlayed = TypeVar("AnyPlayed", bound=Played)


@dataclass(frozen=True, eq=False)
class Case:
    play: Played
    source: str
    settings: str
    """More of the table of its source."""
    shows: tuple[Client, Scenario] | None
    """What is seen in it for docs/clients.md."""

    def __str__(self) -> str:
        return self.play.__name__


class Cases:
    """Those of one module, each listed where it is written: `case = Cases("segment")`, then `@case()`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.listed: list[Case] = []

    def __call__(
        self, settings: str = "", *, shows: tuple[Client, Scenario] | None = None
    ) -> Callable[[AnyPlayed], AnyPlayed]:
        def listed(play: AnyPlayed) -> AnyPlayed:
            self.listed.append(Case(play, f"{self._name}-{len(self.listed)}", settings, shows))
            return play

        return listed
