"""The settings of OAuth 2.0 in turnout.toml, and the terms that they mean."""

import importlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from collector.oauth.terms import Client, Server, Terms
from destinations.settings import Duration, Secret

FEWEST_CHARS = 32
"""Of the secret: what is shorter can be guessed from a token."""
LONGEST = 86_400

_BEGINS = "-----BEGIN"


class OAuthServer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[collector.oauth]`."""

    secret: Secret
    secret_before: Secret | None = None
    urls: list[str] = []


class ClientTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: Annotated[str, Meta(min_length=1, max_length=200)]
    public_key: Annotated[str, Meta(min_length=1)]
    key_id: str | None = None


class OAuthTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[sources.NAME.oauth]`."""

    clients: Annotated[list[ClientTable], Meta(min_length=1)]
    required: bool = True
    expires_in: Duration = Duration(3_600)


Mistake = tuple[str, str]
"""The setting, and what is wrong with it."""


def server_mistakes(server: OAuthServer) -> Iterator[Mistake]:
    for name, secret in (("secret", server.secret), ("secret_before", server.secret_before)):
        if secret is not None and len(secret.reveal()) < FEWEST_CHARS:
            yield name, f"is too short: it should be {FEWEST_CHARS} random characters or more"
    for index, url in enumerate(server.urls):
        if not url.startswith(("https://", "http://")):
            yield f"urls[{index}]", 'must be an address such as "https://events.example.com"'


def source_mistakes(table: OAuthTable, server: OAuthServer | None) -> Iterator[Mistake]:
    if server is None:
        yield "", "needs [collector.oauth] with a secret, by which access tokens are signed"
    if not 1 <= table.expires_in <= LONGEST:
        yield "expires_in", "must be between one second and a day"
    for index, client in enumerate(table.clients):
        if words := _key_mistake(client.public_key):
            yield f"clients[{index}] public_key", words


def terms_of(table: OAuthTable, server: OAuthServer) -> Terms:
    """Of a source whose settings are without mistakes."""
    return Terms(
        server=Server(server.secret, server.secret_before, tuple(server.urls)),
        clients=tuple(_client(client) for client in table.clients),
        seconds=int(table.expires_in),
        required=table.required,
    )


def _client(table: ClientTable) -> Client:
    pem = _pem(table.public_key)
    return Client(table.id, table.key_id, pem, sha256("".join(pem.split()).encode()).hexdigest()[:32])


def _key_mistake(public_key: str) -> str | None:
    try:
        pem = _pem(public_key)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        return f"names a file that cannot be read: {reason}"
    # By name, and only where there is a key to look at: the library of keys takes longer to load than a command to run.
    words: str | None = importlib.import_module("collector.oauth.keys").mistake(pem)
    return words


def _pem(public_key: str) -> str:
    """The key itself, or what is in the file that is named."""
    return public_key if _BEGINS in public_key else Path(public_key).expanduser().read_text(encoding="ascii")
