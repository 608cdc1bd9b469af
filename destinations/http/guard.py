"""Decide which addresses a destination may be reached at."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import msgspec

USUAL_PORTS = frozenset({80, 443, 8080, 8443})

# Ranges that `is_global` calls global in some Python version, or that lead to another address inside.
_DENIED = tuple(
    (ip_network(network), why)
    for network, why in (
        ("0.0.0.0/8", "this host"),
        ("127.0.0.0/8", "loopback"),
        ("10.0.0.0/8", "private"),
        ("172.16.0.0/12", "private"),
        ("192.168.0.0/16", "private"),
        ("100.64.0.0/10", "carrier-grade NAT"),
        ("169.254.0.0/16", "link-local"),
        ("168.63.129.16/32", "cloud metadata"),
        ("192.0.0.0/24", "reserved"),
        ("192.88.99.0/24", "6to4 relay"),
        ("224.0.0.0/4", "multicast"),
        ("::1/128", "loopback"),
        ("::/96", "IPv4-compatible"),
        ("::ffff:0:0/96", "IPv4-mapped"),
        ("64:ff9b::/96", "NAT64"),
        ("64:ff9b:1::/48", "NAT64"),
        ("2001::/32", "Teredo"),
        ("2002::/16", "6to4"),
        ("3fff::/20", "documentation"),
        ("5f00::/16", "segment routing"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
    )
)


class Guard(msgspec.Struct, frozen=True):
    """The addresses and ports that may be connected to."""

    allow_private: bool = False
    extra_ports: frozenset[int] = frozenset()

    def refusal(self, address: str, port: int) -> str | None:
        """Why `address` (an IP as the resolver gave it) and `port` must not be connected to; None when they may."""
        if self.allow_private:
            return None
        if port not in USUAL_PORTS and port not in self.extra_ports:
            return f"port {port} is not allowed"
        kind = not_public(address)
        return None if kind is None else f"the address {address} is not public ({kind})"


def not_public(address: str) -> str | None:
    """What kind of non-public address it is; None for a public one."""
    ip = ip_address(address.partition("%")[0])
    for network, why in _DENIED:
        if ip.version == network.version and ip in network:
            return why
    return None if _is_global(ip) else "reserved"


def _is_global(ip: IPv4Address | IPv6Address) -> bool:
    return ip.is_global and not ip.is_multicast
