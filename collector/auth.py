"""Find the source that a request's write key belongs to.

Keys are looked up in plain dictionaries. That gives away nothing by its timing: Python hashes text with a key
that is random per process and compares characters only where all 64 bits of two hashes agree, so the time taken
says nothing about how much of a guess was right.
"""

import binascii
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from urllib.parse import parse_qsl

import msgspec

from collector.errors import Unauthorized, UnknownKey
from collector.policy import OPEN, Policy

QUERY_NAMES = ("writeKey", "writekey")
QUERY_FIELDS = 100  # more members than this in a query are not a client's doing

_NO_KEY = (
    "the request carries no write key: send it by Basic authentication, X-Write-Key, "
    "or `writeKey` in the query or the body"
)

NO_POLICIES: Mapping[str, Policy] = MappingProxyType({})


class Grant(msgspec.Struct, frozen=True):
    """The right to append to one source, and the key that gave it (to be masked wherever it may show)."""

    source: str
    key: str
    policy: Policy = OPEN

    def __repr__(self) -> str:
        return f"Grant(source={self.source!r})"


class Keys:
    """All write keys, each leading to its source. A source may have several, for rotation."""

    def __init__(self, sources: Mapping[str, Collection[str]], policies: Mapping[str, Policy] = NO_POLICIES) -> None:
        self._grants = dict(_grants(sources, policies))
        # What SDKs send, ready made: nearly every request is answered by this one look-up.
        self._usual = {_usual_header(key): grant for key, grant in self._grants.items()}

    def outside_body(self, headers: Mapping[bytes, bytes], query: bytes) -> Grant | None:
        """The grant by header or query; None when neither names a key. An unknown key is Unauthorized.

        A place that holds no key (Bearer, an empty user, not base64) is passed over; one that does is final.
        """
        authorization = headers.get(b"authorization")
        if authorization is not None:
            usual = self._usual.get(authorization)
            if usual is not None:
                return usual
            candidates = _basic_keys(authorization)
            if candidates:
                return self._first_known(candidates)
        named = headers.get(b"x-write-key", b"").strip()
        if named:
            return self._first_known([_text(named)])
        return self._by_query(query) if query else None

    def named(self, key: str) -> Grant:
        """The grant of this very key. Raises Unauthorized."""
        return self._first_known([key])

    def inside_body(self, places: Iterable[object]) -> Grant:
        """The grant by the first place in the body that holds a key."""
        for key in places:
            if isinstance(key, str) and key:
                return self._first_known([key])
        raise Unauthorized("missing_write_key", _NO_KEY)

    def _by_query(self, query: bytes) -> Grant | None:
        try:
            members = parse_qsl(_text(query), max_num_fields=QUERY_FIELDS)
        except ValueError:  # too many members: none of them is a key
            return None
        for name, value in members:
            if name in QUERY_NAMES:
                return self._first_known([value])
        return None

    def _first_known(self, candidates: list[str]) -> Grant:
        for key in candidates:
            grant = self._grants.get(key)
            if grant is not None:
                return grant
        raise UnknownKey("unknown_write_key", "the write key belongs to no source")


def _grants(sources: Mapping[str, Collection[str]], policies: Mapping[str, Policy]) -> Iterator[tuple[str, Grant]]:
    seen: dict[str, str] = {}
    for source, keys in sources.items():
        for key in keys:
            if not key:
                raise ValueError(f"source {source!r} has an empty write key")
            if seen.setdefault(key, source) != source:
                raise ValueError(f"sources {seen[key]!r} and {source!r} share a write key")
            yield key, Grant(source, key, _policy(policies, source))


def _policy(policies: Mapping[str, Policy], source: str) -> Policy:
    """OPEN itself where nothing is asked: that is all a request then looks at."""
    policy = policies.get(source, OPEN)
    return OPEN if policy == OPEN else policy


def _usual_header(key: str) -> bytes:
    return b"Basic " + binascii.b2a_base64(f"{key}:".encode(), newline=False)


def _basic_keys(authorization: bytes) -> list[str]:
    """What the user part of a Basic header may mean, likeliest first; [] when it is no such header."""
    scheme, _, encoded = authorization.strip().partition(b" ")
    if scheme.lower() != b"basic":
        return []
    try:
        credentials = binascii.a2b_base64(_padded(encoded.strip()), strict_mode=True).decode()
    except ValueError:  # not base64, or not text
        return []
    # Keys may hold colons ("id:secret:" is user "id:secret"); clients may forget the last one ("id:secret").
    user, colon, _password = credentials.rpartition(":")
    candidates = [user, credentials] if colon else [credentials]
    return [key for key in candidates if key.strip(":")]


def _padded(encoded: bytes) -> bytes:
    return encoded + b"=" * (-len(encoded) % 4)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
