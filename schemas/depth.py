"""Tell how deeply a JSON text is nested, without decoding it."""

_BRACKETS = bytes.maketrans(b"{[}]", b"(())")
_REST = bytes(set(range(256)) - set(b"{[}]"))
_ARRAY = ord("[")


def is_within(raw: bytes, limit: int) -> bool:
    """Whether no value of the text is inside more than `limit` objects and arrays."""
    # Nearly every message has fewer brackets than may be nested, and counting them is cheap. Many have no array:
    # to find that out is cheaper still.
    brackets = raw.count(b"{")
    if _ARRAY in raw:
        brackets += raw.count(b"[")
    return brackets <= limit or depth_of(raw, limit) <= limit


def depth_of(raw: bytes, limit: int) -> int:
    """How deeply the text is nested; `limit + 1` when it is deeper, or cannot be JSON at all.

    Taking out every innermost pair of brackets lowers the depth by one, so `limit` rounds decide.
    """
    brackets = _outside_strings(raw).translate(_BRACKETS, _REST)
    depth = 0
    while brackets and depth <= limit:
        brackets = brackets.replace(b"()", b"")
        depth += 1
    return depth


def _outside_strings(raw: bytes) -> bytes:
    if b"\\" in raw:
        # A quote that follows a whole number of escaped backslashes ends the string, any other is part of it.
        raw = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    return b"".join(raw.split(b'"')[::2])
