"""Turn a body's bytes into messages; those of a batch stay undecoded, so that one bad one spoils no other."""

import codecs
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec

from collector.errors import BadBody
from schemas.arrival import Arrival, arrival
from schemas.depth import is_within
from schemas.limits import Limits

T = TypeVar("T")

NOTHING = msgspec.Raw(b"")

SPREAD = 2
"""A batch's `context` is stored with each of its messages: together they may be this many times the largest body."""


class Shared(msgspec.Struct, frozen=True, rename="camel"):
    """What a batch says once for all of its messages. Its timestamp and messageId mean nothing: nobody reads them."""

    write_key: Any = None
    sent_at: Any = None
    context: msgspec.Raw = NOTHING
    integrations: msgspec.Raw = NOTHING


class Batch(Shared, frozen=True, kw_only=True, rename="camel"):
    batch: list[msgspec.Raw]


class Named(msgspec.Struct, frozen=True, rename="camel"):
    """The two members that are wanted even of a message which is refused."""

    message_id: Any = None
    write_key: Any = None


_batch = msgspec.json.Decoder(Batch)
_shared = msgspec.json.Decoder(Shared)
_named = msgspec.json.Decoder(Named)
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_json = msgspec.json.Decoder()


def batch(body: bytes) -> Batch | Shared:
    """The envelope; only what is shared when `batch` is no array. BadBody when it is not even an object."""
    try:
        return _decoded(_batch.decode, body)
    except msgspec.ValidationError:
        pass
    try:
        return _decoded(_shared.decode, body)
    except msgspec.ValidationError:
        raise BadBody("not_an_object", "the body should be an object with the array `batch`") from None


def write_key(body: bytes) -> object:
    """The key that a message names, if it does. BadBody when it is not JSON."""
    try:
        return _decoded(_named.decode, body).write_key
    except msgspec.ValidationError:  # not an object
        return None


def write_keys(envelope: Batch | Shared) -> Iterator[object]:
    """The places where a batch may name its key."""
    yield envelope.write_key
    if isinstance(envelope, Batch) and envelope.batch:
        yield _names(envelope.batch[0]).write_key


def messages(envelope: Batch | Shared, size: int, limits: Limits) -> list[msgspec.Raw]:
    """Those of a body of `size` bytes. Raises BadBody when there are none, or too many."""
    if not isinstance(envelope, Batch):
        raise BadBody(
            "batch_not_array", "`batch` should be an array of messages; one alone goes to the path of its type"
        )
    count = len(envelope.batch)
    if not count:
        raise BadBody("empty_batch", "`batch` holds no messages")
    if count > limits.batch_messages:
        raise BadBody("too_many_messages", f"`batch` holds {count} messages; the most is {limits.batch_messages}")
    shared = len(bytes(envelope.context)) + len(bytes(envelope.integrations))
    if size + shared * count > limits.body_bytes * SPREAD:
        raise BadBody("payload_too_large", "the batch's `context` is too large for this many messages")
    return envelope.batch


def arrival_of(envelope: Shared, received_ms: int, limits: Limits) -> Arrival:
    """The arrival of a batch, with what it says for all of its messages. Raises BadBody when that cannot be read."""
    return arrival(
        received_ms,
        sent_at=envelope.sent_at,
        context=member(envelope.context, limits),
        integrations=member(envelope.integrations, limits),
    )


def message_id(raw: bytes, most_chars: int) -> str | None:
    """What a refused message called itself, if that can be told. It is shown to its sender: length must be bounded."""
    name = _names(raw).message_id
    return str(name)[:most_chars] if isinstance(name, str | int | float) and name != "" else None


def _names(raw: bytes | msgspec.Raw) -> Named:
    try:
        return _named.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Named()


def member(raw: msgspec.Raw, limits: Limits) -> Any:
    """A batch's `context` or `integrations`; None where it is not there."""
    text = bytes(raw)
    if not text:
        return None
    if not is_within(text, limits.depth):
        raise BadBody("too_deep", f"the batch's `context` is nested more than {limits.depth} levels deep")
    try:
        return _json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unreadable(text, error) from None


def members(body: bytes, expected: str) -> dict[str, msgspec.Raw]:
    """What an object says, each value as it was sent. BadBody when it is no JSON, or no object, as is `expected`."""
    try:
        return _members.decode(mended(body))
    except msgspec.ValidationError:
        raise BadBody("not_an_object", expected) from None


def mended(body: bytes) -> bytes:
    """The body without what a decoder stumbles over though it does no harm. BadBody when it stumbles still."""
    text = _mended(body)
    try:
        _json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(text, error) from None
    return text


def _decoded(decode: Callable[[bytes], T], body: bytes) -> T:
    """What `decode` makes of the body, or of the mended body. ValidationError when it is JSON of another shape."""
    try:
        return decode(body)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = _mended(body)
    try:
        return decode(text)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(text, error) from None


# Both halves of a character, or one alone (group 1), or any other escape: in \\ud800 the u is text.
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)


def _mended(body: bytes) -> bytes:
    """Without a byte order mark, and with U+FFFD for halves of characters.

    JavaScript cuts a text in the middle of an emoji, and sends the half that is left as an escape.
    """
    return _ESCAPE.sub(lambda found: rb"\ufffd" if found[1] else found[0], body.removeprefix(codecs.BOM_UTF8))


def _unreadable(body: bytes, error: Exception) -> BadBody:
    if not body.strip():
        return BadBody("empty_body", "the body is empty")
    if isinstance(error, RecursionError):
        return BadBody("too_deep", "the body is nested too deeply")
    if body.startswith(b"\x1f\x8b"):
        # Nothing is legible: a write key inside could not be masked.
        return BadBody("invalid_json", "the body looks like gzip; say so with Content-Encoding: gzip", b"")
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in body[:4]:
        return BadBody("not_utf8", "the body looks like UTF-16 or UTF-32; send UTF-8")
    if isinstance(error, UnicodeDecodeError):
        return BadBody("not_utf8", "the body is not UTF-8")
    return BadBody("invalid_json", f"the body is not JSON: {error}")
