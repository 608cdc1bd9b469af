"""What a source asks of those who post to it, beyond a good key. Pure."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any, Literal

import msgspec

from collector.oauth.terms import Terms
from collector.visitor import Address, address
from destinations.settings import Secret
from destinations.values import Duration

IpPolicy = Literal["keep", "cut", "drop"]

_STRICTNESS: dict[IpPolicy, int] = {"keep": 0, "cut": 1, "drop": 2}
_ASKED: dict[bytes, IpPolicy] = {b"keep": "keep", b"striplastoctet": "cut", b"remove": "drop"}
"""The values of the header `X-IP-Policy`, by which a client may ask for more than its source does."""

_CUT_4, _CUT_6, _CUT_6TO4 = 24, 48, 40
"""The bits that stay. A 6to4 address holds an IPv4 address from its 17th bit on, of which 24 stay."""

_ORIGIN = re.compile(
    r"[a-z][a-z0-9+.-]*://(\*\.)?[a-z0-9_.-]+(:[0-9]{1,5})?|[a-z][a-z0-9+.-]*://\[[0-9a-f:]+\](:[0-9]+)?"
)
_BETWEEN = re.compile(r"[a-z0-9_.-]+")


class Rate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At most so many messages a second, and so many at once after a quiet time; by each collector."""

    messages: Annotated[float, msgspec.Meta(gt=0)]
    burst: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """A second's worth when it is not said."""

    @property
    def at_once(self) -> float:
        return self.burst or max(self.messages, 1.0)


class Browser(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the library in a page sends, told to it with its settings."""

    delivery: Literal["single", "batching"] = "single"
    """Each message by itself, at once; or several together."""
    batch_size: Annotated[int, msgspec.Meta(ge=1, le=100)] = 10
    batch_wait: Duration = Duration(5)
    """The longest that a message waits for others."""


class OpenPanel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds for requests to OpenPanel's API."""

    secret: Secret | None = None
    """Requests without an Origin must bring it; None where they need not."""
    replay: Literal["ignore", "refuse"] = "ignore"
    """What becomes of recordings of sessions: no message can carry them."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    origins: tuple[str, ...] | None = None
    """The sites whose scripts may post; None for all. Requests without an Origin come from no script."""
    types: frozenset[str] | None = None
    """The types of message that are taken; None for all."""
    ip: IpPolicy = "keep"
    """What becomes of `context.ip`: kept, cut to its network (/24 or /48), or dropped."""
    rate: Rate | None = None
    browser: Browser = Browser()
    openpanel: OpenPanel = OpenPanel()
    attach_groups: bool = False
    """Whether events that name no group get those of their users."""
    oauth: Terms | None = None
    """The clients whose access tokens are good here; None where tokens are not looked at."""


OPEN = Policy()


def origin_mistake(origin: str) -> str | None:
    """What is wrong with an allowed origin in the configuration; None when it is one."""
    if origin in ("*", "null") or _ORIGIN.fullmatch(origin):
        return None
    hint = re.match(r"([a-z][a-z0-9+.-]*://[^/?#*]+)[/?#]", origin.lower())
    if hint and _ORIGIN.fullmatch(hint[1]):
        return f"is an address, not an origin: write {hint[1]!r}"
    return 'must be an origin such as "https://shop.example", "https://*.shop.example", "null" or "*", in lower case'


def is_allowed(origin: str, allowed: Sequence[str]) -> bool:
    """Whether scripts of this origin may post."""
    return origin in allowed or any(_is_like(origin, pattern) for pattern in allowed)


def _is_like(origin: str, pattern: str) -> bool:
    if pattern == "*":
        return True
    start, star, end = pattern.partition("*")
    if not star or not origin.startswith(start) or not origin.endswith(end):
        return False
    return _BETWEEN.fullmatch(origin[len(start) : len(origin) - len(end)]) is not None


def stricter(policy: IpPolicy, asked: bytes | None) -> IpPolicy:
    """The policy, or what the header X-IP-Policy asks for if that tells less."""
    wanted = "keep" if asked is None else _ASKED.get(asked.strip().lower(), "keep")
    return max(policy, wanted, key=_STRICTNESS.__getitem__)


def kept_of(ip: object, policy: IpPolicy) -> object:
    """What may be kept of an address; None for nothing. What cannot be read as an address cannot be cut."""
    if policy == "keep":
        return ip
    found = address(ip) if policy == "cut" and isinstance(ip, str) else None
    return None if found is None else str(_network(found).network_address)


def restrict(context: dict[str, Any], policy: IpPolicy) -> None:
    """Leave as much of the context's address as may be kept."""
    if policy == "keep" or "ip" not in context:
        return
    kept = kept_of(context["ip"], policy)
    if kept is None:
        del context["ip"]
    else:
        context["ip"] = kept


def _network(found: Address) -> IPv4Network | IPv6Network:
    if found.version == 4:
        return IPv4Network((int(found), _CUT_4), strict=False)
    return IPv6Network((int(found), _CUT_6 if found.sixtofour is None else _CUT_6TO4), strict=False)
