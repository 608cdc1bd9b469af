"""Every fault that Turnout is meant to survive, and the tests that try it, as scenarios.toml lists them."""

import tomllib
from pathlib import Path

import msgspec

FILE = Path(__file__).with_suffix(".toml")


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`tests` are node ids; `why_not` says what keeps it, or a part of it, from being tried."""

    fault: str
    tests: tuple[str, ...] = ()
    soak_only: bool = False
    why_not: str = ""

    def command(self, name: str) -> str:
        """What shows it; empty where nothing does."""
        if not self.tests:
            return ""
        return f'make {"soak" if self.soak_only else "test"} ARGS="-k {name}"'


SCENARIOS = msgspec.convert(tomllib.loads(FILE.read_text()), dict[str, Scenario])
