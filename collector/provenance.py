"""Where a message came from, and what the policy of its source makes of it. Pure."""

from typing import Any

import msgspec

from collector.policy import OPEN, IpPolicy, Policy, kept_of, stricter
from collector.request import Request
from collector.visitor import NO_PROXIES, Proxies, address_of
from schemas.errors import Invalid, Violation


class Provenance(msgspec.Struct, kw_only=True, gc=False):
    """The request that brought some messages, and the policy for them.

    Nearly all messages need nothing of it: what is there to tell is worked out when one asks.
    """

    request: Request | None = None
    """None when it is long gone."""
    trusted: Proxies = NO_PROXIES
    policy: Policy = OPEN
    visited: bool = False
    """Made by a visitor's own device though it is no script that says so by its Origin: an image, say."""
    every: bool = False
    """Whether each message needs it; else those do that say `context.direct`. `provenance_of` knows."""
    _address: str | None = None

    def settle(self, message: dict[str, Any]) -> None:
        """Let a normalised message be what its source takes, with the address that may be kept. Raises Invalid."""
        types = self.policy.types
        if types is not None and message["type"] not in types:
            raise Invalid((_not_enabled(message["type"], types),))
        context = message["context"]
        if self.request is not None:
            self._fill(context, self.request)
        if "ip" in context and (policy := self._ip_policy()) != "keep":
            _restrict(context, policy)

    def address(self) -> str:
        """The client's; empty when it is not known."""
        if self._address is None:
            self._address = "" if self.request is None else address_of(self.request, self.trusted)
        return self._address

    def _fill(self, context: dict[str, Any], request: Request) -> None:
        """Say what a device cannot know of itself, or has left out. What is there stays."""
        direct = self.visited or context.get("direct") is True
        if (direct or b"origin" in request.headers) and context.get("ip") in (None, "") and self.address():
            context["ip"] = self.address()
        if direct and context.get("userAgent") in (None, ""):
            agent = request.headers.get(b"user-agent", b"")
            if agent:
                context["userAgent"] = agent.decode("utf-8", "replace")

    def _ip_policy(self) -> IpPolicy:
        asked = None if self.request is None else self.request.headers.get(b"x-ip-policy")
        return stricter(self.policy.ip, asked)


def provenance_of(request: Request, trusted: Proxies, policy: Policy, *, visited: bool = False) -> Provenance:
    headers = request.headers
    every = visited or policy is not OPEN or b"origin" in headers or b"x-ip-policy" in headers
    return Provenance(request=request, trusted=trusted, policy=policy, visited=visited, every=every)


def remembered(policy: Policy) -> Provenance:
    """Of a message whose request is gone: who sent it is forgotten, and the policy holds."""
    return Provenance(policy=policy, every=policy is not OPEN)


def _restrict(context: dict[str, Any], policy: IpPolicy) -> None:
    kept = kept_of(context["ip"], policy)
    if kept is None:
        del context["ip"]
    else:
        context["ip"] = kept


def _not_enabled(kind: str, types: frozenset[str]) -> Violation:
    listed = ", ".join(sorted(types)) or "none"
    return Violation("type", "enabled", f"of a type that this source takes ({listed})", kind, "type_not_enabled")
