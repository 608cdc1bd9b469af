"""`turnout users`: who is known. Look at them, change them, join two, take many in, write all out."""

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from collector.cli import people, people_files, picking
from collector.cli.dead import show, tell
from collector.cli.options import AsJson, ConfigFile, DataDirectory, configured
from collector.cli.people import profiles_of
from collector.cli.trouble import Trouble

if TYPE_CHECKING:
    from destinations.profiles.node import Node
    from destinations.sql.engine import Session

Id = Annotated[str, typer.Argument(help="The id of a user, or of a visitor.", metavar="ID")]
Into = Annotated[str, typer.Argument(help="The user that it becomes.", metavar="USER")]
Email = Annotated[str | None, typer.Option("--email", help="Only those who have, or had, this address.")]
Visitors = Annotated[bool, typer.Option("--visitors", help="Those who never said who they are.")]
AlsoVisitors = Annotated[bool, typer.Option("--visitors", help="Also those who never said who they are.")]

NONE = "there are no such users"

users = typer.Typer(name="users", help="The users that messages told of.")


@users.command("list")
def list_users(
    prefix: people.Prefix = "",
    email: Email = None,
    name: people.Name = None,
    visitors: Visitors = False,
    most: people.Most = 20,
    after: people.After = "",
    config: ConfigFile = None,
    data: DataDirectory = None,
    as_json: AsJson = False,
) -> None:
    """Show users by id, page by page.

    turnout users list --email ann@example.com
    """
    from collector.cli import people_text
    from destinations.profiles import listing
    from destinations.profiles.reading import profile_of
    from destinations.sql.engine import reading

    kind: Any = "anonymous_id" if visitors else "user_id"
    wanted = listing.Wanted(kind=kind, prefix=prefix, email=email, name=name, after=after)
    with profiles_of(configured(config, data)) as database, reading(database) as connection:
        found = [profile_of(connection, one.number) for one in listing.page(connection, wanted, most)]
    show([people.as_json(one) for one in found], people_text.users(found), as_json, none=NONE)
    if found:
        people.more(len(found), most, found[-1].id)


@users.command("show")
def show_user(
    value: Id, by: people.By = None, config: ConfigFile = None, data: DataDirectory = None, as_json: AsJson = False
) -> None:
    """Show all that is known of one.

    Each trait with when and where it was said last, the ids, the groups, and what was said of who this is and
    does not hold.
    """
    from collector.cli import people_text
    from destinations.profiles import listing
    from destinations.profiles.reading import groups_of, number_of, profile_of
    from destinations.sql.engine import reading

    with profiles_of(configured(config, data)) as database, reading(database) as connection:
        profile = profile_of(connection, number_of(connection, *known(connection, value, by)) or 0)
        groups = groups_of(connection, profile.number)
        refused = listing.refused(connection, profile.number)
    told = {**people.whole_json(profile), "groups": [one.id for one in groups], "refused": refused}
    show([told], people_text.user(profile, groups, refused), as_json, none=NONE)


@users.command("edit")
def edit(
    value: Id,
    changes: people.Changes = None,
    unset: people.Unset = None,
    file: people.TraitsFile = None,
    by: people.By = None,
    config: ConfigFile = None,
    data: DataDirectory = None,
    as_json: AsJson = False,
) -> None:
    """Change traits; this counts over all that was said before.

    turnout users edit u1 --set plan=pro --set seats:=5 --unset phone
    """
    from destinations.profiles import managing
    from destinations.profiles.reading import number_of, profile_of
    from destinations.sql.engine import reading

    settings = configured(config, data)
    with profiles_of(settings) as database:
        with reading(database) as connection:
            node = known(connection, value, by)
            before = profile_of(connection, number_of(connection, *node) or 0).values()
        traits = people.changed(before, changes, unset, file)
        promoted = people.promoted_by(settings)
        managing.edit(database, node, traits, now_ms=int(time.time() * 1000), promoted=promoted)
    tell({"changed": len(traits)}, f"changed {', '.join(traits)} of {node.value}", as_json)


@users.command("join")
def join(
    value: Id,
    into: Into,
    by: people.By = None,
    yes: picking.Yes = False,
    config: ConfigFile = None,
    data: DataDirectory = None,
    as_json: AsJson = False,
) -> None:
    """Say that ID is USER, whatever messages say.

    Also two known users, who are never joined by messages. `turnout users split` takes it back.
    """
    from destinations.profiles import managing
    from destinations.sql.engine import reading

    with profiles_of(configured(config, data)) as database:
        with reading(database) as connection:
            node = known(connection, value, by)
        picking.confirm(f"From now on {node.value!r} is {into!r}?", yes=yes)
        done = managing.join(database, node, into, now_ms=int(time.time() * 1000))
    words = f"{node.value} is {into}" if done else f"{node.value} was {into} already"
    tell({"joined": int(done)}, words, as_json)


@users.command("split")
def split(
    value: Id, by: people.By = None, config: ConfigFile = None, data: DataDirectory = None, as_json: AsJson = False
) -> None:
    """Take back what `turnout users join` joined.

    ID is the id that was joined; with that of the user it became, everything joined to it by hand comes apart.
    What messages say of who is who holds again.
    """
    from destinations.profiles import managing
    from destinations.sql.engine import reading

    with profiles_of(configured(config, data)) as database:
        with reading(database) as connection:
            node = known(connection, value, by)
        done = managing.split(database, node, now_ms=int(time.time() * 1000))
    if not done:
        raise Trouble(f"{value} was not joined by hand to anybody")
    tell({"split": 1}, f"{value} is on its own again", as_json)


@users.command("import")
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
    """Take users from a file, as JSON lines or as a table.

    Ends with 1 when a row was wrong; the others are taken.
    """
    from destinations.profiles.rows import UserRow

    settings = configured(config, data)
    wanted = people_files.Wanted(file, form, as_of, source)
    (people_files.try_out if dry_run else people_files.take_in)(settings, wanted, UserRow, as_json)


@users.command("export")
def write_out(
    file: people_files.Output = "-",
    form: people_files.Format = None,
    traits: people_files.Traits = None,
    visitors: AlsoVisitors = False,
    config: ConfigFile = None,
    data: DataDirectory = None,
) -> None:
    """Write all users to a file that `import` takes back."""
    from destinations.profiles import exporting

    kinds: Any = ("user_id", "anonymous_id") if visitors else ("user_id",)
    own = ("id", *(["anonymous_id"] if visitors else []), "anonymous_ids", "user_ids", "groups", "timestamp")
    people_files.write(
        configured(config, data),
        people_files.Asked(file, form, traits, kinds, own),
        lambda connection: exporting.users(connection, kinds),
        lambda connection: exporting.plain_users(connection, kinds),
    )


def known(connection: "Session", value: str, by: str | None) -> "Node":
    """Raises Trouble."""
    from destinations.profiles.listing import node_of

    node = node_of(connection, value, by)
    if node is None or node.kind == "group_id":
        raise Trouble(f"there is no {'user or visitor' if by is None else by} {value!r}")
    return node
