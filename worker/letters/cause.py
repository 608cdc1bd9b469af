"""Make one cause of the many wordings of the same error: what differs from message to message is left out. Pure."""

import hashlib
import re

LONGEST = 200

_QUERY = re.compile(r"(https?://[^\s?#\"'<>]+)[?#][^\s\"'<>]*")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
_ESCAPED = re.compile(r"\\\"[^\"\\]*\\\"")
"""A value in quotes within a text of JSON."""
_QUOTED = re.compile(r"\"[^\"]*\"(\s*:)?|(?<!\w)'[^']*'(?!\w)|“[^”]*”|`[^`]*`")
# Numbers, and ids with a digit in them; but not the status that a destination answered with.
_NUMBER = re.compile(r"(?<!answered )(?<![\w.-])[\w.-]*\d[\w.-]*")
_SPACE = re.compile(r"\s+")


def cause_of(reason: str) -> str:
    """`answered 400: user "ann" has 3 bills` becomes `answered 400: user "…" has # bills`."""
    # Before what is cut there may stand a cut value.
    text = reason[: 4 * LONGEST]
    text = _EMAIL.sub("…@…", _QUERY.sub(r"\1", text))
    text = _ESCAPED.sub("“…”", text)
    text = _QUOTED.sub(_without_value, text)
    return _SPACE.sub(" ", _NUMBER.sub("#", text)).strip()[:LONGEST]


def _without_value(quoted: re.Match[str]) -> str:
    """A quoted word is a value. What has spaces is a sentence, and what a colon follows is the name of a member."""
    return quoted[0] if quoted[1] or " " in quoted[0].rstrip(" :") else '"…"'


def cause_id(code: str, cause: str) -> str:
    """A short name for it, to be typed."""
    return hashlib.blake2b(f"{code}\0{cause}".encode(), digest_size=4).hexdigest()
