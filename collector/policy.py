"""What a source asks of those who post to it, beyond a good key."""

from typing import Annotated, Literal

import msgspec

from destinations.values import Duration

IpPolicy = Literal["keep", "cut", "drop"]


class Rate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At most so many messages a second, and so many at once after a quiet time; by each collector."""

    messages: Annotated[float, msgspec.Meta(gt=0)]
    burst: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """A second's worth when it is not said."""


class Browser(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the library in a page sends, told to it with its settings."""

    delivery: Literal["single", "batching"] = "single"
    """Each message by itself, at once; or several together."""
    batch_size: Annotated[int, msgspec.Meta(ge=1, le=100)] = 10
    batch_wait: Duration = Duration(5)
    """The longest that a message waits for others."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    origins: tuple[str, ...] | None = None
    """The sites whose scripts may post; None for all. Requests without an Origin come from no script."""
    types: frozenset[str] | None = None
    """The types of message that are taken; None for all."""
    ip: IpPolicy = "keep"
    """What becomes of `context.ip`: kept, cut to its network (/24 or /48), or dropped."""
    rate: Rate | None = None
    browser: Browser = Browser()


OPEN = Policy()
