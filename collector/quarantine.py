"""Make the record of what was refused, with no write key in it. Pure."""

import re

import msgspec

from collector.accept import Refused
from collector.auth import Grant
from collector.errors import BadBody
from collector.log_port import Refusal
from collector.policy import IpPolicy, restrict
from schemas.errors import Violation

# Four times the largest message: what overshoots is kept whole and can be repaired, what floods is cut.
KEPT_BYTES = 131_072
# A shorter key ("dev") occurs in other words too; masking it there would spoil the message for its repair.
LONG_KEY = 12

# The member's value, whether the text around it is JSON, something like JSON, or a form.
_MEMBER = re.compile(
    rb"""(write_?key["']?\s*[:=]\s*)("(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s"'{\[,&}\]]+)""", re.IGNORECASE | re.DOTALL
)


def of_message(refused: Refused, grant: Grant, received_at: str, path: str, ip: IpPolicy = "keep") -> Refusal:
    raw = refused.raw if ip == "keep" else restricted(refused.raw, ip)
    return Refusal(
        source=grant.source,
        received_at=received_at,
        kind="message",
        path=path,
        raw=masked(raw, grant.key)[:KEPT_BYTES],
        size=len(raw),
        violations=refused.violations,
    )


def of_body(bad: BadBody, body: bytes, grant: Grant, received_at: str, path: str) -> Refusal:
    legible = body if bad.legible is None else bad.legible
    return Refusal(
        source=grant.source,
        received_at=received_at,
        kind="body",
        path=path,
        raw=masked(legible, grant.key)[:KEPT_BYTES],
        size=len(body),
        violations=(Violation(path="", rule="body", expected="messages", found=bad.message, code=bad.code),),
    )


def restricted(raw: bytes, ip: IpPolicy) -> bytes:
    """The message with as much of its address as may be kept; as it is when it cannot be read."""
    try:
        message = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return raw
    context = message.get("context") if isinstance(message, dict) else None
    if not isinstance(context, dict) or "ip" not in context:
        return raw
    restrict(context, ip)
    return msgspec.json.encode(message)


def masked(raw: bytes, key: str) -> bytes:
    """`raw` with the value of every member `writeKey` replaced, and a long key wherever else it stands."""
    shown = _MEMBER.sub(rb'\1"***"', raw)
    return shown.replace(key.encode(), b"***") if len(key) >= LONG_KEY else shown
