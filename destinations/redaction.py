"""Take the secrets of a destination's settings out of any text that leaves it."""

import base64
from collections.abc import Iterator, Mapping
from urllib.parse import quote, quote_plus

import msgspec

from destinations.values import Secret


class Redactor:
    """Called with a text, gives it back with every secret masked, however it was written."""

    def __init__(self, settings: msgspec.Struct) -> None:
        spellings = {way for secret in secrets_of(settings) for way in _spellings(secret.reveal())}
        self._spellings = sorted(spellings - {""}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for spelling in self._spellings:
            text = text.replace(spelling, Secret.mask)
        for spelling in self._spellings:
            text = _without_its_beginning(spelling, text)
        return text


def _without_its_beginning(spelling: str, text: str) -> str:
    """A text that was cut may end in the middle of a secret."""
    for length in range(len(spelling) - 1, 3, -1):
        if text.endswith(spelling[:length]):
            return text[:-length] + Secret.mask
    return text


def secrets_of(value: object) -> Iterator[Secret]:
    match value:
        case Secret():
            yield value
        case msgspec.Struct():
            for field in value.__struct_fields__:
                yield from secrets_of(getattr(value, field))
        case Mapping():
            for item in value.values():
                yield from secrets_of(item)
        case list() | tuple() | set() | frozenset():
            for item in value:
                yield from secrets_of(item)


def _spellings(secret: str) -> set[str]:
    inside_json = msgspec.json.encode(secret).decode()[1:-1]
    base64_text = base64.b64encode(secret.encode()).decode()
    return {secret, inside_json, base64_text, quote(secret), quote(secret, safe=""), quote_plus(secret)}
