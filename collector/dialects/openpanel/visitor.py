"""Whose device a request comes from, when the client keeps no id of its own. Pure.

A device is known by its address and its user agent for one day (UTC): both are hashed with the secret of that day.
A session is a half hour of one device. Both are computed and not remembered, so that all collectors give the same
answer without asking anybody; the price is that a visit which runs over the half hour counts as two. A period of
grace would not help: without a memory it only moves the boundary to where others are visiting.
"""

import hashlib

import msgspec

from collector.visitor import address

SESSION_MS = 1_800_000
_APPS = ("react-native", "expo", "swift", "ios", "kotlin", "android", "flutter")


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    device: str
    session: str
    address: str
    """Empty when it is not known."""
    agent: str
    """Empty when it is not known."""
    alone: bool
    """Whether the device is this visitor's. If not, it is a server's that speaks for many: as a part of their
    messages it would make one person of them all."""


def device_of(salt: bytes, source: str, address: str, agent: str) -> str:
    return _hash(salt, source, address, agent)


def session_of(device: str, moment_ms: int) -> str:
    return _hash(b"", device, str(moment_ms // SESSION_MS))


def is_app(sdk: str) -> bool:
    """Whether this SDK runs on the visitor's own machine though its requests have no Origin."""
    return any(name in sdk.lower() for name in _APPS)


def address_in(value: object) -> str:
    """The IP address that a client states; empty when it is none."""
    found = address(value) if isinstance(value, str) else None
    return "" if found is None else str(found)


def _hash(salt: bytes, *parts: str) -> str:
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=16, key=salt).hexdigest()
