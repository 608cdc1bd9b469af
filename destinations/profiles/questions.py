"""The questions that are asked about users and groups over HTTP, each answered on one connection."""

from sqlalchemy import Connection

from destinations.profiles import listing
from destinations.profiles.listing import Wanted
from destinations.profiles.node import Collection
from destinations.profiles.profile import Profile
from destinations.profiles.reading import number_of, profile_of, profiles_of

_NEVER_STORED = "\0"
"""PostgreSQL cannot even be asked for it."""


def profile(connection: Connection, collection: Collection, id_type: str, value: str) -> Profile | None:
    """The user or group that has this id."""
    number = number_of(connection, id_type, value)
    if number is None:
        return None
    found = profile_of(connection, number)
    return found if found.collection == collection else None


def listed(connection: Connection, wanted: Wanted, most: int) -> list[Profile]:
    """Some users, visitors or groups, by id."""
    texts = (wanted.prefix, wanted.email, wanted.name, wanted.type, wanted.after)
    if any(text and _NEVER_STORED in text for text in texts):
        return []
    return profiles_of(connection, [one.number for one in listing.page(connection, wanted, most)])
