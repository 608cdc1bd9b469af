"""Read what is asked of the API out of paths and queries. Pure."""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import NamedTuple, TypeVar, cast
from urllib.parse import parse_qsl

import msgspec

from collector.api.errors import Invalid, NotFound
from destinations.profiles.node import Collection
from schemas.dates import moment, stamp

T = TypeVar("T")

COLLECTION = "/v1/spaces/{space}/collections/{collection}/profiles"
PROFILE = f"{COLLECTION}/{{identifier:path}}"
QUESTIONS = ("traits", "external_ids", "metadata", "links", "events", "conflicts")
"""What is asked of one profile."""
CLASSES = ("", "audience", "computed_trait")
TYPES = ("identify", "group", "track", "page", "screen", "alias")
USUAL = {
    "profiles": 25,
    "traits": 10,
    "external_ids": 25,
    "links": 20,
    "events": 100,
    "conflicts": 25,
}
"""How many are told when nobody says how many."""
MOST_LISTED = 100

MOST = 200
FIELDS = 100
_TYPE = re.compile(r"[a-z][a-z0-9_.]{0,63}")
_COLLECTIONS = ("users", "accounts")
_MOST_NUMBER = (1 << 63) - 1
_LONGEST_CURSOR = 100_000


class Whose(NamedTuple):
    """A user or group by one of its ids."""

    collection: Collection
    type: str
    value: str


def collection_of(name: str) -> Collection:
    if name not in _COLLECTIONS:
        raise NotFound(f"There is no such collection: it is one of {' and '.join(_COLLECTIONS)}.")
    return cast(Collection, name)


def whose(collection: str, identifier: str) -> Whose:
    """`user_id:ann`, `email:ann@example.com`, `group_id:acme`; values may hold colons. Raises Invalid or NotFound."""
    kind, colon, value = identifier.partition(":")
    if not colon or not value or not _TYPE.fullmatch(kind):
        raise Invalid("A profile is named by the type and the value of an id, such as user_id:ann.")
    return Whose(collection_of(collection), kind, value)


class Query:
    """The parameters of a request; the last one counts where one is there twice. Those that nobody knows do not."""

    def __init__(self, query: bytes) -> None:
        try:
            self._values = dict(parse_qsl(query.decode("utf-8", "replace"), max_num_fields=FIELDS))
        except ValueError as error:
            raise Invalid(f"The query has more than {FIELDS} parameters.") from error

    def text(self, name: str) -> str | None:
        return self._values.get(name)

    def limit(self, usual: int, most: int = MOST) -> int:
        text = self._values.get("limit", str(usual))
        if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= most):
            raise Invalid(f"limit should be a whole number from 1 to {most}.")
        return int(text)

    def number_after(self) -> int:
        """0 for the first page."""
        found = self.after(int) or 0
        if not 0 <= found <= _MOST_NUMBER:
            raise Invalid("next should be what `cursor.next` of the page before says.")
        return found

    def names(self, name: str) -> tuple[str, ...]:
        """A list with commas between."""
        return tuple(part.strip() for part in self._values.get(name, "").split(",") if part.strip())

    def several_of(self, name: str, choices: Sequence[str]) -> tuple[str, ...]:
        found = self.names(name)
        if set(found) - set(choices):
            raise Invalid(f"{name} should be a list of {', '.join(choices)}.")
        return found

    def flag(self, name: str) -> bool:
        return self.one_of(name, ("false", "true")) == "true"

    def one_of(self, name: str, choices: Sequence[str]) -> str:
        """The first is meant where nothing is said."""
        found = self._values.get(name, choices[0])
        if found not in choices:
            raise Invalid(f"{name} should be one of {', '.join(choices)}.")
        return found

    def time(self, name: str) -> str | None:
        """As messages write it."""
        text = self._values.get(name)
        if text is None:
            return None
        found = moment(text)
        if found is None:
            raise Invalid(f"{name} should be a time such as 2026-02-28T14:00:00Z.")
        return stamp(found.ms)

    def after(self, shape: type[T]) -> T | None:
        """What `cursor.next` of the page before said."""
        text = self._values.get("next")
        if not text:
            return None
        if len(text) > _LONGEST_CURSOR:
            raise Invalid("next is far too long.")
        try:
            return msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=shape)
        except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
            raise Invalid("next should be what `cursor.next` of the page before says.") from error


def cursor_text(place: object) -> str:
    """What `Query.after` reads."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")
