"""What a source asks of those who post to it, beyond a good key."""

from typing import Annotated, Literal

import msgspec

from destinations.settings import Secret

IpPolicy = Literal["keep", "cut", "drop"]


class Rate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At most so many messages a second, and so many at once after a quiet time; by each collector."""

    messages: Annotated[float, msgspec.Meta(gt=0)]
    burst: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """A second's worth when it is not said."""


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
    openpanel: OpenPanel = OpenPanel()


OPEN = Policy()
