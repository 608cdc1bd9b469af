"""Runs an official client in a process of its own: settings and calls go in as JSON lines, a report comes out."""

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import msgspec

ENDS_WITHIN = 60.0


@dataclass(frozen=True)
class Sdk:
    """An official client and the little program that makes calls on it."""

    name: str
    command: Sequence[str]
    directory: Path
    library: Mapping[str, str]
    """What it says of itself in context.library."""


class Failure(msgspec.Struct, frozen=True):
    """What the client told its application about messages that it gave up."""

    words: str
    messages: int


class Report(msgspec.Struct, frozen=True):
    """What the client knew at its end."""

    ids: tuple[str, ...]
    """The messageId of each call, in the order of the calls."""
    errors: tuple[Failure, ...]
    requests: int
    """Those that it began, whatever came of them."""


class Driven:
    """A client that runs; `with` makes sure that it ends."""

    def __init__(self, sdk: Sdk, settings: Mapping[str, Any]) -> None:
        self._process = subprocess.Popen(
            sdk.command,
            cwd=sdk.directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._tell(settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()

    def calls(self, calls: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Have it make calls: names and arguments, the latter as the Node client spells them."""
        for method, arguments in calls:
            self._tell({"method": method, "arguments": arguments})

    def end(self) -> Report:
        """No more calls: wait until it has flushed and ended."""
        out, error = self._process.communicate(timeout=ENDS_WITHIN)
        assert self._process.returncode == 0, error
        return msgspec.json.decode(out, type=Report)

    def _tell(self, line: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
