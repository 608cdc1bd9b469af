"""Where a message came from, and what the policy of its source makes of it. Pure."""

from typing import Any

import msgspec

from collector.policy import OPEN, IpPolicy, Policy, restrict, stricter
from collector.request import Request
from collector.visitor import NO_PROXIES, Proxies, address_of
from schemas.errors import Invalid, Violation


class Provenance(msgspec.Struct, gc=False):
    """The request that brought some messages, and the policy for them. `provenance_of` and `remembered` make it.

    Nearly all messages need nothing of it: what is there to tell is worked out when one asks.
    """

    request: Request | None = None
    """None when it is long gone."""
    trusted: Proxies = NO_PROXIES
    types: frozenset[str] | None = None
    """Those that are taken; None for all."""
    ip: IpPolicy = "keep"
    by_script: bool = False
    """Sent by a page's script, which its browser says by an Origin."""
    by_device: bool = False
    """Sent by a visitor's own device though no script says so: an image, say."""
    every: bool = False
    """Whether each message needs it; else those do that say `context.direct`."""
    _address: str | None = None

    def settle(self, message: dict[str, Any]) -> None:
        """Let a normalised message be what its source takes, with the address that may be kept. Raises Invalid.

        Its sender's address and user agent fill what a device cannot know of itself or has left out.
        """
        if self.types is not None and message["type"] not in self.types:
            raise Invalid((_not_enabled(message["type"], self.types),))
        context = message["context"]
        direct = self.by_device or context.get("direct") is True
        if (direct or self.by_script) and not context.get("ip"):
            address = self.address() if self._address is None else self._address
            if address:
                context["ip"] = address
        if direct and not context.get("userAgent"):
            self._name_agent(context)
        restrict(context, self.ip)

    def address(self) -> str:
        """The client's; empty when it is not known."""
        if self._address is None:
            self._address = "" if self.request is None else address_of(self.request, self.trusted)
        return self._address

    def _name_agent(self, context: dict[str, Any]) -> None:
        agent = b"" if self.request is None else self.request.headers.get(b"user-agent", b"")
        if agent:
            context["userAgent"] = agent.decode("utf-8", "replace")


def provenance_of(request: Request, trusted: Proxies, policy: Policy, *, by_device: bool = False) -> Provenance:
    headers = request.headers
    by_script, asked = b"origin" in headers, headers.get(b"x-ip-policy")
    if policy is OPEN and asked is None:
        every = by_script or by_device
        return Provenance(request, trusted, None, "keep", by_script, by_device, every)
    return Provenance(request, trusted, policy.types, stricter(policy.ip, asked), by_script, by_device, every=True)


def remembered(policy: Policy) -> Provenance:
    """Of a message whose request is gone: who sent it is forgotten, and the policy holds."""
    return Provenance(types=policy.types, ip=policy.ip, every=True)


def _not_enabled(kind: str, types: frozenset[str]) -> Violation:
    listed = ", ".join(sorted(types)) or "none"
    return Violation("type", "enabled", f"of a type that this source takes ({listed})", kind, "type_not_enabled")
