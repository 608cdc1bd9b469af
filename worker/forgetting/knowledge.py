"""Everything that is known about a user, store by store."""

from collections.abc import Iterator
from typing import Any, cast

import msgspec

from destinations.profiles.profile import Profile
from destinations.profiles.reading import groups_of, number_of, profile_of
from destinations.profiles.store import open_profiles
from destinations.sql.engine import reading
from worker.forgetting import archives, streams
from worker.forgetting.person import Mention, Person, Replacing
from worker.letters import erasing as letters
from worker.parcel import Put
from worker.refusals import erasing as refusals
from worker.stories import erasing as stories
from worker.stories.stores import Stores

Chapter = tuple[str, Iterator[Any]]
"""A name, and what there is under it, each ready to be written as JSON."""


def chapters(stores: Stores, person: Person, user: str) -> Iterator[Chapter]:
    """Raises RedisError, DatabaseAway, OSError, DamagedArchiveError while it is read."""
    stores.move()
    yield "profiles", _profiles(stores, user)
    yield "messages", _archived(stores, person)
    yield "inTheLog", _logged(stores, person)
    yield "inRetryLanes", _aside(stores, person)
    yield "deadLetters", (_letter(row) for row in letters.of_person(stores.engine, person))
    yield "quarantine", (_refusal(row) for row in refusals.of_person(stores.engine, person))
    yield "saidToDestinations", stories.exchanges_with(stores.engine, Mention(person))


def _profiles(stores: Stores, user: str) -> Iterator[Any]:
    url = stores.config.profiles()
    if url is None:
        return
    database = open_profiles(url)
    try:
        with reading(database) as connection:
            number = number_of(connection, "user_id", user)
            if number is not None:
                groups = [{"id": one.id, "since": one.stamp} for one in groups_of(connection, number)]
                yield {**_profile(profile_of(connection, number)), "groups": groups}
    finally:
        database.dispose()


def _profile(profile: Profile) -> dict[str, Any]:
    ids = [{"type": one.type, "id": one.id, "since": one.stamp, "source": one.source} for one in profile.ids]
    traits = {
        name: {"value": trait.value, "stamp": trait.stamp, "source": trait.source}
        for name, trait in profile.traits.items()
    }
    return {"ids": ids, "traits": traits, "first": profile.first, "last": profile.last}


def _archived(stores: Stores, person: Person) -> Iterator[Any]:
    for slot, position, body in archives.of_person(stores.config, person):
        yield {"source": slot.source, "lane": slot.lane, "position": position, "message": msgspec.Raw(body)}


def _logged(stores: Stores, person: Person) -> Iterator[Any]:
    replacing = Replacing(person)
    for name in streams.streams(stores.client, "log"):
        for body in streams.bodies(stores.client, name):
            if replacing.body(body) is not None:
                yield {"line": name.split(":", 2)[2], "message": msgspec.Raw(body)}


def _aside(stores: Stores, person: Person) -> Iterator[Any]:
    replacing = Replacing(person)
    for lane in sorted(set(cast("Iterator[bytes]", stores.client.scan_iter(match="{p*}:lane:*", count=1_000)))):
        for record in cast("list[bytes]", stores.client.lrange(lane.decode(), 0, -1)):
            put = msgspec.json.decode(record, type=Put)
            if replacing.body(bytes(put.message)) is not None:
                yield {"destination": lane.decode().split(":")[2], "message": put.message}


def _letter(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "body": _text(row["body"])}


def _refusal(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "raw": _text(row["raw"])}


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")
