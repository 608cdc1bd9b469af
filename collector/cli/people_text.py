"""How users and groups look in a terminal."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from collector.cli.table import table
from collector.cli.tail import printable

if TYPE_CHECKING:
    from destinations.profiles.listing import Member, Refused
    from destinations.profiles.profile import Profile
    from destinations.profiles.reading import Joined

MINUTE = len("2024-02-29T23:59")


def users(profiles: "Sequence[Profile]") -> list[str]:
    rows = [(_id(one), _named(one), _text(one, "email"), when(one.last[0])) for one in profiles]
    return table(("id", "name", "email", "last heard of"), rows)


def groups(profiles: "Sequence[tuple[Profile, int]]") -> list[str]:
    rows = [(_id(one), _named(one), _text(one, "type"), members, when(one.last[0])) for one, members in profiles]
    return table(("id", "name", "type", "members", "last heard of"), rows)


def user(profile: "Profile", groups: "Sequence[Joined]", refused: "Sequence[Refused]") -> Iterator[str]:
    """Everything that is known of one."""
    yield from _whole("user" if profile.ids[0].type == "user_id" else "visitor", profile)
    yield from _part("groups", ("group", "since", "source"), ((one.id, when(one.stamp), one.source) for one in groups))
    said = ((one.type, one.id, one.user, one.why, when(one.stamp)) for one in refused)
    yield from _part("said, and not held to be true", ("type", "id", "is user", "by", "when"), said)


def group(profile: "Profile", members: "Sequence[Member]", number: int) -> Iterator[str]:
    yield from _whole("group", profile)
    heading = f"members, {len(members)} of {number}" if len(members) < number else "members"
    rows = ((one.id, one.type, when(one.stamp), one.source) for one in members)
    yield from _part(heading, ("id", "type", "since", "source"), rows)


def _whole(what: str, profile: "Profile") -> Iterator[str]:
    yield f"{what} {_id(profile)}"
    for name, (stamp, source) in (("first", profile.first), ("last", profile.last)):
        yield f"{name:5}  {when(stamp)}  {printable(source)}"
    ids = ((one.type, one.id, when(one.stamp), one.source) for one in profile.ids)
    yield from _part("ids", ("type", "id", "since", "source"), ids)
    traits = ((name, shown(one.value), when(one.stamp), one.source) for name, one in sorted(profile.traits.items()))
    yield from _part("traits", ("trait", "value", "said", "source"), traits)


def _part(heading: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    cells = [[printable(cell) for cell in row] for row in rows]
    if cells:
        yield ""
        yield heading
        yield from table(heads, cells)


def shown(value: Any) -> str:
    """Text as it is, everything else as JSON."""
    import msgspec

    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def when(stamp: str) -> str:
    return stamp[:MINUTE]


def _id(profile: "Profile") -> str:
    return printable(profile.id)


def _named(profile: "Profile") -> str:
    parts = [_text(profile, name) for name in ("firstName", "lastName")]
    return _text(profile, "name") or " ".join(filter(None, parts))


def _text(profile: "Profile", name: str) -> str:
    trait = profile.traits.get(name)
    return "" if trait is None or trait.value is None else printable(shown(trait.value))
