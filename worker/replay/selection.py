"""Which messages somebody wants, as it is asked for and kept. Pure."""

import msgspec


class Selection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A message is wanted when every member that is not empty agrees; of several values one is enough."""

    sources: tuple[str, ...] = ()
    since: str = ""
    """The first `receivedAt` that is wanted, as messages write it."""
    until: str = ""
    """The first one that is not wanted any more."""
    types: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    """Each a `userId` or an `anonymousId`."""
    message_ids: tuple[str, ...] = ()
    where: str = ""
    """An expression over the members of the message (`worker.replay.expression`)."""
