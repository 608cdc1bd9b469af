"""`turnout groups`: companies, teams, whatever users belong to. Look at them, make, change and delete them."""

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from collector.cli import people, people_files, picking
from collector.cli.dead import show, tell
from collector.cli.options import AsJson, ConfigFile, DataDirectory, configured
from collector.cli.people import profiles_of
from collector.cli.table import counted
from collector.cli.trouble import Trouble

if TYPE_CHECKING:
    from destinations.profiles.node import Node

Id = Annotated[str, typer.Argument(help="The id of a group.", metavar="GROUP")]
People = Annotated[list[str], typer.Argument(help="Ids of users, or of visitors.", metavar="ID...")]
Type = Annotated[str | None, typer.Option("--type", help="Its type: company, team.")]
OfType = Annotated[str | None, typer.Option("--type", help="Only those of this type.")]
Named = Annotated[str | None, typer.Option("--name", help="Its name.")]
Members = Annotated[bool, typer.Option("--members", help="Also who belongs to them.")]

NONE = "there are no such groups"

groups = typer.Typer(name="groups", help="The groups that messages told of, and who belongs to them.")


@groups.command("list")
def list_groups(
    prefix: people.Prefix = "",
    name: people.Name = None,
    of_type: OfType = None,
    most: people.Most = 20,
    after: people.After = "",
    config: ConfigFile = None,
    data: DataDirectory = None,
    as_json: AsJson = False,
) -> None:
    """Show groups by id, page by page."""
    from collector.cli import people_text
    from destinations.profiles import listing
    from destinations.profiles.reading import profile_of
    from destinations.sql.engine import reading

    wanted = listing.Wanted(kind="group_id", prefix=prefix, name=name, type=of_type, after=after)
    with profiles_of(configured(config, data)) as database, reading(database) as connection:
        found = [
            (profile_of(connection, one.number), listing.member_count(connection, one.number))
            for one in listing.page(connection, wanted, most)
        ]
    shown = [{**people.as_json(one), "members": members} for one, members in found]
    show(shown, people_text.groups(found), as_json, none=NONE)
    if found:
        people.more(len(found), most, found[-1][0].id)


@groups.command("show")
def show_group(
    group: Id,
    most: people.Most = 20,
    after: people.After = "",
    config: ConfigFile = None,
    data: DataDirectory = None,
    as_json: AsJson = False,
) -> None:
    """Show all that is known of one, and who belongs to it; --after pages through its members."""
    from collector.cli import people_text
    from destinations.profiles import listing
    from destinations.profiles.reading import number_of, profile_of
    from destinations.sql.engine import reading

    with profiles_of(configured(config, data)) as database, reading(database) as connection:
        number = number_of(connection, "group_id", group)
        if number is None:
            raise Trouble(f"there is no group {group!r}")
        profile, there = profile_of(connection, number), listing.member_count(connection, number)
        members = listing.members(connection, number, most, after)
    ids = [{"type": one.type, "id": one.id} for one in members]
    told = {**people.whole_json(profile), "memberCount": there, "members": ids}
    show([told], people_text.group(profile, members, there), as_json, none=NONE)
    if members:
        people.more(len(members), most, members[-1].id)


@groups.command("create")
def create(
    group: Id,
    name: Named = None,
    of_type: Type = None,
    changes: people.Changes = None,
    file: people.TraitsFile = None,
    config: ConfigFile = None,
    data: DataDirectory = None,
    as_json: AsJson = False,
) -> None:
    """Make a group.

    turnout groups create acme --name "Acme Inc" --type company --set plan=pro
    """
    from destinations.profiles import managing

    said = _said(name, of_type, changes)
    traits = people.changed({}, said, None, file) if said or file else {}
    with profiles_of(configured(config, data)) as database:
        managing.create_group(database, group, traits, now_ms=int(time.time() * 1000))
    tell({"created": 1}, f"made {group}", as_json)


@groups.command("edit")
def edit(
    group: Id,
    name: Named = None,
    of_type: Type = None,
    changes: people.Changes = None,
    unset: people.Unset = None,
    file: people.TraitsFile = None,
    config: ConfigFile = None,
    data: DataDirectory = None,
    as_json: AsJson = False,
) -> None:
    """Change name, type or traits; this counts over all that was said before."""
    from destinations.profiles import managing
    from destinations.profiles.node import Node
    from destinations.profiles.reading import number_of, profile_of
    from destinations.sql.engine import reading

    with profiles_of(configured(config, data)) as database:
        with reading(database) as connection:
            number = number_of(connection, "group_id", group)
            before = {} if number is None else profile_of(connection, number).values()
        traits = people.changed(before, _said(name, of_type, changes), unset, file)
        managing.edit(database, Node("group_id", group), traits, now_ms=int(time.time() * 1000))
    tell({"changed": len(traits)}, f"changed {', '.join(traits)} of {group}", as_json)


@groups.command("delete")
def delete(
    group: Id,
    yes: picking.Yes = False,
    config: ConfigFile = None,
    data: DataDirectory = None,
    as_json: AsJson = False,
) -> None:
    """Forget a group, and who belonged to it.

    A message that speaks of it makes it anew; messages from before do not, even when they are sent again.
    """
    from destinations.profiles import listing, managing
    from destinations.profiles.reading import number_of
    from destinations.sql.engine import reading

    with profiles_of(configured(config, data)) as database:
        with reading(database) as connection:
            number = number_of(connection, "group_id", group)
            members = 0 if number is None else listing.member_count(connection, number)
        if number is not None:
            picking.confirm(f"Delete {group!r}, with {counted(members, 'member')}?", yes=yes)
        managing.delete_group(database, group, now_ms=int(time.time() * 1000))
    tell({"deleted": 1, "members": members}, f"deleted {group}, with {counted(members, 'member')}", as_json)


@groups.command("add")
def add(
    group: Id,
    ids: People,
    by: people.By = None,
    config: ConfigFile = None,
    data: DataDirectory = None,
    as_json: AsJson = False,
) -> None:
    """Add users to a group: all of them, or none if one is not known."""
    from destinations.profiles import managing

    with profiles_of(configured(config, data)) as database:
        managing.add_members(database, group, _known(database, ids, by), now_ms=int(time.time() * 1000))
    tell({"added": len(ids)}, f"added {counted(len(ids), 'member')} to {group}", as_json)


@groups.command("remove")
def remove(
    group: Id,
    ids: People,
    by: people.By = None,
    config: ConfigFile = None,
    data: DataDirectory = None,
    as_json: AsJson = False,
) -> None:
    """Take users out of a group: all of them, or none if one is not known."""
    from destinations.profiles import managing

    with profiles_of(configured(config, data)) as database:
        managing.remove_members(database, group, _known(database, ids, by), now_ms=int(time.time() * 1000))
    tell({"removed": len(ids)}, f"removed {counted(len(ids), 'member')} from {group}", as_json)


@groups.command("import")
def take_in(
    file: people_files.Input,
    form: people_files.Format = None,
    dry_run: people_files.DryRun = False,
    as_of: people_files.AsOf = None,
    source: people_files.Source = "import",
    config: ConfigFile = None,
    data: DataDirectory = None,
    as_json: AsJson = False,
) -> None:
    """Take groups from a file, as JSON lines or as a table.

    Ends with 1 when a row was wrong; the others are taken.
    """
    from destinations.profiles.rows import GroupRow

    settings = configured(config, data)
    wanted = people_files.Wanted(file, form, as_of, source)
    (people_files.try_out if dry_run else people_files.take_in)(settings, wanted, GroupRow, as_json)


@groups.command("export")
def write_out(
    file: people_files.Output = "-",
    form: people_files.Format = None,
    traits: people_files.Traits = None,
    members: Members = False,
    config: ConfigFile = None,
    data: DataDirectory = None,
) -> None:
    """Write all groups to a file that `import` takes back."""
    from destinations.profiles import exporting

    own = ("id", *(["members"] if members else []), "timestamp")
    people_files.write(
        configured(config, data),
        people_files.Asked(file, form, traits, ("group_id",), own),
        exporting.groups_with_members if members else exporting.groups,
        exporting.groups_with_members if members else exporting.groups,
    )


def _said(name: str | None, of_type: str | None, changes: list[str] | None) -> list[str]:
    """Name and type are traits like the others."""
    own = [f"{trait}={value}" for trait, value in (("name", name), ("type", of_type)) if value is not None]
    return [*own, *(changes or [])]


def _known(database: Any, ids: list[str], by: str | None) -> "list[Node]":
    """Raises Trouble."""
    from destinations.profiles.listing import node_of
    from destinations.sql.engine import reading

    with reading(database) as connection:
        found = {each: node_of(connection, each, by) for each in ids}
    missing = [each for each, node in found.items() if node is None]
    if missing:
        raise Trouble(*(f"there is no user {each!r}" for each in missing), "nothing was changed")
    return [node for node in found.values() if node is not None]
