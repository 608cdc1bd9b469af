"""How many connections there may be, and how long each may take for what."""

from typing import Annotated

import msgspec
from msgspec import Meta

from destinations.settings import Duration, Size

Length = Annotated[Duration, Meta(gt=0)]
Count = Annotated[int, Meta(ge=1)]


class Connections(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[collector.connections]`."""

    most: Count = 10_000
    """Open at the same time, in each collector."""
    head: Length = Duration(10)
    """From a connection's start, or a request's first byte, to the end of its headers."""
    body: Length = Duration(30)
    """The largest batch that SDKs make (475 KB) takes this long at 16 KB/s, a poor mobile connection."""
    idle: Length = Duration(75)
    """Between two requests. Longer than the 60 s of most load balancers: whoever keeps connections closes them."""
    answer: Length = Duration(120)
    """From the end of the headers to the last byte of the answer."""
    bodies: Size = Size(256 << 20)
    """Of this process's memory for bodies under way, those up to 64 KiB not counted."""
    head_bytes: Annotated[int, Meta(ge=1_024)] = 65_536
    """The first line and the headers of a request."""
    headers: Annotated[int, Meta(ge=10)] = 200
    """How many of them."""
