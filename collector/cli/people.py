"""What the commands about users and those about groups share."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from collector.cli.trouble import WRONG, Trouble

if TYPE_CHECKING:
    from collector.config import Config
    from destinations.profiles.profile import Profile
    from destinations.sql.engine import Database

Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="trait=text, or trait:=JSON; address.city=Oslo. Can be repeated."),
]
Unset = Annotated[list[str] | None, typer.Option("--unset", metavar="TRAIT", help="Clear this trait. Can be repeated.")]
TraitsFile = Annotated[str | None, typer.Option("--file", help="Traits as a JSON object; - for standard input.")]
Prefix = Annotated[str, typer.Option("--prefix", help="Only ids that begin like this.")]
Name = Annotated[str | None, typer.Option("--name", help="Only those with this in their name.")]
Most = Annotated[int, typer.Option("--most", "-n", min=1, max=100_000, help="How many.")]
After = Annotated[str, typer.Option("--after", help="Go on after this id.")]
By = Annotated[
    str | None,
    typer.Option(
        "--by", metavar="TYPE", help="The type of the id: user_id, anonymous_id, email; else one of the first two."
    ),
]


@contextmanager
def profiles_of(config: "Config") -> "Iterator[Database]":
    """The database of users and groups. Raises Trouble."""
    from destinations.profiles.errors import AlreadyThere, NotThere
    from destinations.profiles.store import open_profiles
    from destinations.sql.errors import DatabaseAway

    url = config.profiles()
    if url is None:
        raise Trouble("no destination of type profiles is switched on: nothing keeps users and groups", code=WRONG)
    try:
        database = open_profiles(url)
        try:
            yield database
        finally:
            database.dispose()
    except (DatabaseAway, NotThere, AlreadyThere) as error:
        raise Trouble(error) from error


def promoted_by(config: "Config") -> tuple[str, ...]:
    """The traits by which users can be found too."""
    from destinations.builtin.profiles import ProfilesSettings

    url = config.profiles()
    for table in config.destinations.values():
        if table.settings.get("url") == url and "identifiers" in table.settings:
            return tuple(table.settings["identifiers"])
    default: tuple[str, ...] = ProfilesSettings.__struct_defaults__[0]
    return default


def changed(before: dict[str, Any], changes: list[str] | None, unset: list[str] | None, file: str | None) -> Any:
    """The traits that are to be set, each as a whole. Raises Trouble."""
    from collector.cli import amending

    given = {} if file is None else amending.from_file(file)
    if not isinstance(given, dict):
        raise Trouble(f"{file} holds no JSON object", code=WRONG)
    if not (changes or unset or given):
        raise Trouble("what is to change? Say --set, --unset or --file", code=WRONG)
    after = amending.amended({**before, **given}, changes or [], "these traits")
    names = {change.partition("=")[0].removesuffix(":").partition(".")[0] for change in changes or []}
    return {**{name: after[name] for name in (*given, *sorted(names))}, **dict.fromkeys(unset or [])}


def as_json(profile: "Profile") -> dict[str, Any]:
    """A profile for a script."""
    from destinations.profiles.node import at

    return {
        "id": profile.id,
        "type": profile.ids[0].type,
        "traits": profile.values(),
        "firstSeen": at(profile.first[0]),
        "lastSeen": at(profile.last[0]),
    }


def whole_json(profile: "Profile") -> dict[str, Any]:
    """The same with when and by whom each trait and id was said."""
    from destinations.profiles.node import at

    traits = {
        name: {"value": one.value, "timestamp": at(one.stamp), "source": one.source}
        for name, one in profile.traits.items()
    }
    ids = [{"type": one.type, "id": one.id, "since": at(one.stamp), "source": one.source} for one in profile.ids]
    return {**as_json(profile), "traits": traits, "ids": ids}


def more(shown: int, most: int, last: str) -> None:
    """Say on standard error how to see the next page."""
    if shown == most:
        typer.echo(f"there may be more: --after {last}", err=True)
