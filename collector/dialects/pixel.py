"""The pixel: a message in the query of an image's address, answered by a transparent image whatever became of it."""

import binascii
from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import msgspec

from collector import answers
from collector.accept import Refused
from collector.answers import Answer, Problem
from collector.auth import QUERY_FIELDS, Grant, Keys
from collector.dialects.dialect import Dialect, Facts, Telling, alone
from collector.errors import BadBody
from collector.request import Request

# A GIF of one transparent pixel.
_IMAGE = binascii.a2b_base64("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
SHOWN = answers.answer(200, _IMAGE, (b"cache-control", b"no-store"), kind=b"image/gif")


class Pixel(Dialect):
    """`data` holds a JSON object, in base64 of either alphabet or as it is; else each parameter is a member."""

    methods: ClassVar[tuple[str, ...]] = ("GET",)
    visited: ClassVar[bool] = True

    def __init__(self, kind: str | None) -> None:
        """`kind` is None where the message names its own type."""
        self._kind = kind

    def outside(self, request: Request, keys: Keys) -> Grant | None:
        return keys.inside_body((write_key(request.query),))

    def read(self, request: Request, text: bytes, facts: Facts) -> Telling:
        message = message_of(request.query)
        message.pop("writeKey", None)
        meant = self.meant(message)
        return alone(meant if self._kind is None else {**meant, "type": self._kind})

    def meant(self, message: dict[str, Any]) -> dict[str, Any]:
        """The message that these parameters mean."""
        return message

    def stored(self, telling: Telling, accepted: int, refused: Sequence[Refused]) -> Answer:
        return SHOWN

    def problem(self, problem: Problem) -> Answer:
        return SHOWN


def write_key(query: bytes) -> object:
    """The key that a query names, if it can be read and does."""
    try:
        return message_of(query).get("writeKey")
    except BadBody:
        return None


def message_of(query: bytes) -> dict[str, Any]:
    """What is in a query. Raises BadBody."""
    try:
        members = parse_qsl(query.decode(), keep_blank_values=True, max_num_fields=QUERY_FIELDS, errors="strict")
    except ValueError as error:
        raise BadBody("bad_query", "the query is not UTF-8 text, or has too many parameters") from error
    told = dict(members)
    whole = _decoded(told.pop("data")) if "data" in told else {}
    for name, value in told.items():
        _put(whole, name.split("."), value)
    return whole


def _put(message: dict[str, Any], path: list[str], value: str) -> None:
    *parents, last = path
    for parent in parents:
        inner = message.setdefault(parent, {})
        if not isinstance(inner, dict):
            return
        message = inner
    message[last] = value


def _decoded(data: str) -> dict[str, Any]:
    text = data.encode() if data.lstrip().startswith("{") else _from_base64(data)
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadBody("invalid_json", "`data` is not a JSON object, nor one in base64") from error


def _from_base64(data: str) -> bytes:
    plain = data.translate(str.maketrans("-_ ", "+/+")).rstrip("=")
    try:
        return binascii.a2b_base64(plain + "=" * (-len(plain) % 4))
    except ValueError as error:
        raise BadBody("invalid_json", "`data` is neither JSON nor base64") from error
