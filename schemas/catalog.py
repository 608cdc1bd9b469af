"""Hold the JSON Schemas as they are published.

Their `$id`s are paths, not full addresses: a validator that loads `/schemas/track.json` from any collector
resolves the references between the files against that collector, and nothing points at a host that we do not own.
"""

from importlib.resources import files
from typing import Any

import msgspec

KINDS = ("identify", "group", "track", "page", "screen", "alias")
"""The types of message that may come in."""

_NAMES = (*KINDS, "batch", "common")
_FOLDER = files("schemas") / "json"
_TEXTS = {name: (_FOLDER / f"{name}.json").read_bytes() for name in _NAMES}


def names() -> tuple[str, ...]:
    return _NAMES


def text(name: str) -> bytes:
    """The schema as it is published. An unknown name is a KeyError."""
    return _TEXTS[name]


def schema(name: str) -> dict[str, Any]:
    """The schema, decoded. Each call gives a copy of its own."""
    return msgspec.json.decode(_TEXTS[name], type=dict[str, Any])
