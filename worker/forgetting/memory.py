"""Who is forgotten, as a process holds it in memory: digests of ids, so that nobody can read the ids out of it."""

import hashlib
from collections.abc import Mapping
from typing import cast

import msgspec
import redis

from schemas.envelope import decode_head
from schemas.forgotten import FORGOTTEN, placeholder
from schemas.message import Head
from worker import keys
from worker.forgetting.person import disguised, owners

FOR_EVER = ""
WIDTH = 16


def digest_of(key: bytes, value: str) -> bytes:
    return hashlib.blake2b(value.encode(), key=key, digest_size=WIDTH).digest()


class Memory(msgspec.Struct, frozen=True):
    """A state of who is forgotten. `until` says of each digest up to which `receivedAt`, or FOR_EVER."""

    state: str
    key: bytes
    until: Mapping[bytes, str]

    def holds(self, value: str, received_at: str) -> bool:
        """Whether what the owner of this id sent then is forgotten."""
        until = self.until.get(digest_of(self.key, value))
        return until is not None and (until == FOR_EVER or received_at <= until)

    def suppresses(self, value: str) -> bool:
        """Whether nothing of this id is taken any more."""
        return self.until.get(digest_of(self.key, value)) == FOR_EVER

    def covers(self, head: Head, body: bytes) -> bool:
        return any(self.holds(value, head.received_at) for value in owners(head, body))

    def placeholder(self, head: Head) -> bytes:
        return placeholder(head, disguised(self.key, head.message_id))


def read(client: "redis.Redis") -> Memory | None:
    """What the log knows; None when nobody is forgotten. Raises redis.RedisError."""
    pipe = client.pipeline(transaction=True)
    pipe.get(keys.FORGOTTEN_STATE)
    pipe.get(keys.FORGOTTEN_KEY)
    pipe.hgetall(keys.FORGOTTEN)
    state, key, until = cast("tuple[bytes | None, bytes | None, dict[bytes, bytes]]", tuple(pipe.execute()))
    if not until or key is None:
        return None
    return Memory((state or b"").decode(), key, {digest: at.decode() for digest, at in until.items()})


def state_of(client: "redis.Redis") -> str:
    """Which state holds; "" when nobody was ever forgotten."""
    return (cast("bytes | None", client.get(keys.FORGOTTEN_STATE)) or b"").decode()


class Oblivion:
    """What a worker does with messages of those who are forgotten: placeholders go on in their place."""

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client
        self._state = ""
        self._memory: Memory | None = None

    def memory(self, state: str) -> Memory | None:
        """The one of this state, or a later one; None: nobody is forgotten."""
        if state != self._state:
            self._memory = read(self._client)
            self._state = state
        return self._memory


def instead(memory: Memory, body: bytes, head: Head) -> tuple[bytes, Head] | None:
    """What goes on in the place of a message, if it is forgotten."""
    if head.type == FORGOTTEN or not memory.covers(head, body):
        return None
    made = memory.placeholder(head)
    return made, decode_head(made)
