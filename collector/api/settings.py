"""The table `[api]`: who may ask Turnout about users and groups."""

import re
from collections.abc import Collection, Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from destinations.settings import Secret

# What is a user name of Basic authentication as it is; and too long to be guessed.
_TOKEN = re.compile(r"[!-9;-~]{16,200}")


class ApiSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    tokens: tuple[Secret, ...] = ()
    """Each opens everything; without one there is nothing to be asked."""
    rate: Annotated[float, Meta(gt=0)] = 100
    """Requests a second with one token, at each collector."""
    space: Annotated[str, Meta(min_length=1)] | None = None
    """The name of the space in the paths; None where any will do."""


def token_mistakes(settings: ApiSettings, write_keys: Collection[str]) -> Iterator[tuple[str, str]]:
    """What is wrong with the tokens: the setting, and words."""
    seen: set[str] = set()
    for index, token in enumerate(settings.tokens):
        place, text = f"tokens[{index}]", token.reveal()
        if not _TOKEN.fullmatch(text):
            yield place, "must be 16 to 200 visible ASCII characters without a colon"
        elif text in write_keys:
            yield place, "is a write key, which browsers and apps show to everybody: make another"
        elif text in seen:
            yield place, "is there twice"
        seen.add(text)
