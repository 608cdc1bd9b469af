"""Undo a body's Content-Encoding, never making more bytes than allowed."""

import zlib

from collector.errors import BadBody

MEMBERS = 100  # of one gzip body: each costs an inflater, however little it holds
_GZIP = 16 + zlib.MAX_WBITS
_ZLIB = zlib.MAX_WBITS
_RAW = -zlib.MAX_WBITS


def inflated(body: bytes, content_encoding: bytes, limit: int) -> bytes:
    """The body as it was before compression. BadBody when it is too large, cut off or in an unknown encoding."""
    codings = [name.strip() for name in content_encoding.lower().split(b",")]
    match [name for name in codings if name not in (b"", b"identity")]:
        case []:
            return body
        case [b"gzip" | b"x-gzip"]:
            return _members(body, _GZIP, limit)
        case [b"deflate"]:
            return _members(body, _deflate_window(body), limit)
    # Nothing is legible: a write key inside could not be masked.
    raise BadBody("unsupported_encoding", "Content-Encoding may be gzip, deflate or identity, once", b"")


def _members(body: bytes, window: int, limit: int) -> bytes:
    parts: list[bytes] = []
    room, rest = limit, body
    for _ in range(MEMBERS):
        part, rest = _member(rest, window, room)
        parts.append(part)
        room -= len(part)
        if not rest:
            return b"".join(parts)
    raise BadBody("bad_encoding", f"the compressed body has more than {MEMBERS} parts", b"".join(parts))


def _member(data: bytes, window: int, room: int) -> tuple[bytes, bytes]:
    inflater = zlib.decompressobj(window)
    try:
        part = inflater.decompress(data, room + 1)
    except zlib.error:
        raise BadBody("bad_encoding", "the body is not compressed as its Content-Encoding says", b"") from None
    if len(part) > room:
        raise BadBody("payload_too_large", "the body inflates to more than the limit", part)
    if not inflater.eof:
        raise BadBody("bad_encoding", "the compressed body is cut off", part)
    return part, inflater.unused_data.lstrip(b"\0")  # some writers pad with zeros


def _deflate_window(body: bytes) -> int:
    """Some clients send the zlib wrapper that the standard asks for, some leave it out."""
    wrapped = len(body) >= 2 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    return _ZLIB if wrapped else _RAW
