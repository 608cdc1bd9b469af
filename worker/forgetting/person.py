"""Say whose a message is, and what stands in its place when that person is forgotten. Pure."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec

from schemas.forgotten import FORGOTTEN, placeholder
from schemas.message import Head, decode_head

SHORT = 4
"""An id of fewer characters occurs in any text; it counts only where it stands like a value."""


class _Former(msgspec.Struct, rename="camel"):
    previous_id: Any = None


class _Named(msgspec.Struct, rename="camel"):
    user_id: Any = None
    anonymous_id: Any = None
    previous_id: Any = None


_former = msgspec.json.Decoder(_Former).decode
_named = msgspec.json.Decoder(_Named).decode


def owners(head: Head, body: bytes) -> tuple[str, ...]:
    """The ids of the person that a message is of: the user; the visitor where no user is named; a former id."""
    who = head.user_id or head.anonymous_id
    found = (who,) if who else ()
    if head.type == "alias":
        former = _former(body).previous_id
        return (*found, former) if isinstance(former, str) else found
    return found


def named_in(raw: bytes) -> tuple[str, ...]:
    """The same for something that a client sent and that is no message: as far as it can be read."""
    try:
        told = _named(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
    who = told.user_id if told.user_id not in (None, "") else told.anonymous_id
    return tuple(str(each) for each in (who, told.previous_id) if isinstance(each, str | int) and each != "")


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody to forget, under all the ids that are known to be theirs."""

    ids: frozenset[str]
    """Of the user and of the visitors that the user was."""
    others: frozenset[str] = frozenset()
    """What else they can be found by, such as an e-mail address."""
    key: bytes
    """The secret that makes the ids of placeholders."""

    def marks(self) -> list[bytes]:
        """One of these is in every stored message of the person."""
        return [msgspec.json.encode(each) for each in sorted(self.ids)]

    def owns(self, body: bytes) -> bool:
        """Whether a stored message is theirs."""
        head = decode_head(body)
        return head.type != FORGOTTEN and not self.ids.isdisjoint(owners(head, body))

    def placeholder(self, body: bytes) -> bytes:
        """What stands in the message's place; the same wherever there is a copy of it."""
        head = decode_head(body)
        return placeholder(head, self.disguised(head.message_id))

    def disguised(self, message_id: str) -> str:
        return disguised(self.key, message_id)


def disguised(key: bytes, message_id: str) -> str:
    return f"{FORGOTTEN}-{hashlib.blake2b(message_id.encode(), key=key, digest_size=12).hexdigest()}"


class Replacing:
    """Puts placeholders in the place of a person's messages, wherever these are stored."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self._marks = person.marks()

    def concerns(self, text: bytes) -> bool:
        """Whether one of the person's messages may be in it; cheap."""
        return any(mark in text for mark in self._marks)

    def body(self, body: bytes) -> bytes | None:
        """The placeholder, if the message is the person's."""
        if not self.concerns(body) or not self._person.owns(body):
            return None
        return self._person.placeholder(body)

    def bodies(self, bodies: Sequence[bytes]) -> list[bytes] | None:
        """The same for messages that lie together; None when none of them is."""
        new = [self.body(body) for body in bodies]
        if not any(new):
            return None
        return [found or body for found, body in zip(new, bodies, strict=True)]


class Mention:
    """Finds a person in a text of any kind: what was said to a destination, what it answered, what nobody can read."""

    def __init__(self, person: Person) -> None:
        long = {form for each in _long(person) for form in _forms(each)}
        short = {form for each in person.ids | person.others if len(each) < SHORT for form in _forms(each)}
        parts = [rf"(?<![A-Za-z0-9]){re.escape(each)}(?![A-Za-z0-9])" for each in sorted(long)]
        parts += [rf"(?<=[\"'=]){re.escape(each)}(?=[\"'&\s]|$)" for each in sorted(short)]
        self._pattern = re.compile("|".join(parts))

    def is_in(self, text: str) -> bool:
        return bool(text) and self._pattern.search(text) is not None


def _long(person: Person) -> Iterable[str]:
    return (each for each in person.ids | person.others if len(each) >= SHORT)


def _forms(text: str) -> set[str]:
    """As it stands in JSON of two kinds, in a url and in a form."""
    escaped = "".join(char if ord(char) < 128 else _escape(char) for char in text)
    return {
        text,
        msgspec.json.encode(text).decode()[1:-1],
        escaped,
        quote(text, safe=""),
        quote(text),
        quote_plus(text),
    }


def _escape(char: str) -> str:
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
