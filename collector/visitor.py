"""Tell who is at the other end of a request, behind the proxies that may be believed. Pure.

Only `X-Forwarded-For`, `-Proto` and `-Host` are read, and only from a trusted proxy. `Forwarded` (RFC 7239) is not:
a proxy that writes the one passes the other on as a client sent it, so whoever believes both believes the client.
The same holds for headers such as `True-Client-IP`, which say nothing that `X-Forwarded-For` does not.
"""

import ipaddress
import re
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from collector.request import Headers, Request

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

Proxies = tuple[Network, ...]
"""The networks whose word about others is believed."""

NO_PROXIES: Proxies = ()

MOST_HOPS = 50
"""More proxies in a row than this are nobody's."""

_HOST = re.compile(r"[A-Za-z0-9_.-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")


def networks(words: Sequence[str]) -> Proxies:
    """`10.0.0.0/8`, or one address. Raises ValueError."""
    return tuple(ipaddress.ip_network(word) for word in words)


def address_of(request: Request, trusted: Proxies) -> str:
    """The client's address; empty when it cannot be known.

    It is the peer's. Of a trusted peer it is the last one in `X-Forwarded-For` that is no trusted proxy's: what
    stands before that was written by somebody who could write anything.
    """
    peer = address(request.peer) if trusted else None
    if peer is None or not _is_trusted(peer, trusted):
        return _plain(request.peer)
    found: Address = peer
    for word in _hops(request.headers):
        hop = address(word)
        if hop is None:
            return ""  # a trusted proxy says that it does not know
        found = hop
        if not _is_trusted(hop, trusted):
            break
    return str(found)


def outer_url(request: Request, trusted: Proxies) -> str:
    """Scheme and host under which the client reached us (`https://events.shop.example`); empty when it did not say."""
    peer = address(request.peer) if trusted else None
    told = request.headers if peer is not None and _is_trusted(peer, trusted) else {}
    scheme = _first(told.get(b"x-forwarded-proto", b"")).lower()
    if scheme not in ("http", "https"):
        scheme = request.scheme
    hosts = (_first(told.get(b"x-forwarded-host", b"")), _first(request.headers.get(b"host", b"")))
    host = next((host for host in hosts if _HOST.fullmatch(host)), None)
    return "" if host is None else f"{scheme}://{host}"


def address(word: str) -> Address | None:
    """The address that a word such as `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80` says."""
    plain = word.strip()
    if plain.startswith("["):
        plain = plain[1:].partition("]")[0]
    elif plain.count(":") == 1:
        plain = plain.partition(":")[0]
    try:
        found = ipaddress.ip_address(plain.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return found if mapped is None else mapped


def neighbourhood(word: str) -> str:
    """Whom to count together with this address: of IPv6, everybody in its /64, for one host has all of it."""
    found = address(word)
    if not isinstance(found, IPv6Address):
        return word
    return str(IPv6Network((int(found), 64), strict=False))


def _plain(peer: str) -> str:
    """As an IPv4 client of a socket for both is written elsewhere."""
    return peer.removeprefix("::ffff:") if "." in peer else peer.partition("%")[0]


def _hops(headers: Headers) -> Iterator[str]:
    """Who passed the request on, the nearest first."""
    words = headers.get(b"x-forwarded-for", b"").decode("latin-1").rsplit(",", MOST_HOPS)
    return reversed([word for word in words[-MOST_HOPS:] if word.strip()])


def _is_trusted(address: Address, trusted: Proxies) -> bool:
    return any(address in network for network in trusted)


def _first(value: bytes) -> str:
    return value.decode("latin-1").partition(",")[0].strip()
