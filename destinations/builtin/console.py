"""Print every message to standard output."""

import re
import sys
from collections.abc import Sequence
from typing import Annotated, BinaryIO, Literal

import msgspec
from msgspec import Meta

from destinations.adapter import Destination
from destinations.outcome import Deferred, Delivered, Outcome
from schemas.envelope import Envelope

# JSON escapes the control characters below 0x20; a terminal obeys these too (DEL, and U+0080 to U+009F in UTF-8).
_CONTROLS = re.compile(rb"\x7f|\xc2[\x80-\x9f]")


class ConsoleSettings(msgspec.Struct, frozen=True, kw_only=True):
    format: Annotated[Literal["line", "pretty"], Meta(description="One line of JSON a message, or indented JSON.")] = (
        "line"
    )


class Console(Destination[ConsoleSettings]):
    shape = ConsoleSettings

    def __init__(self, name: str, settings: ConsoleSettings, *, out: BinaryIO | None = None) -> None:
        super().__init__(name, settings)
        self._out = out

    def deliver(self, batch: Sequence[Envelope], deadline: float) -> Sequence[Outcome]:
        out = self._out or sys.stdout.buffer
        try:
            out.write(b"".join(shown(envelope.body, self.settings) for envelope in batch))
            out.flush()
        except OSError as error:
            return [Deferred(f"standard output: {error.strerror}", scope="destination")] * len(batch)
        return [Delivered()] * len(batch)


def shown(body: bytes, settings: ConsoleSettings) -> bytes:
    """The message as a terminal may see it: the same JSON, with nothing in it that a terminal obeys."""
    text = msgspec.json.format(body, indent=2) if settings.format == "pretty" else body
    return _CONTROLS.sub(_escaped, text) + b"\n"


def _escaped(match: re.Match[bytes]) -> bytes:
    return b"\\u%04x" % ord(match[0].decode())
