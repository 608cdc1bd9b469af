"""What a source asks of clients that authenticate by OAuth 2.0, and the clients that it knows."""

import msgspec

from destinations.values import Secret


class Client(msgspec.Struct, frozen=True):
    """One of a client's keys. A client may have several, to change them without a gap."""

    id: str
    key_id: str | None
    """Compared with the `kid` of an assertion, where both are there."""
    pem: str
    """The public key."""
    fingerprint: str
    """Of the key."""


class Server(msgspec.Struct, frozen=True):
    """What all collectors have to agree on."""

    secret: Secret
    """Signs access tokens."""
    secret_before: Secret | None = None
    """Tokens that it signed are still good."""
    urls: tuple[str, ...] = ()
    """Under which clients know this server; where none is given, it is the host that they ask."""


class Terms(msgspec.Struct, frozen=True):
    """What one source asks."""

    server: Server
    clients: tuple[Client, ...]
    seconds: int
    """How long an access token is good."""
    required: bool
    """Whether requests without a token are refused."""
