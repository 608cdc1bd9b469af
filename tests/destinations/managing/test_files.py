"""Files of users and groups: what goes out comes in again as it was."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from destinations.profiles import cells, exporting, files, importing, managing, tabling
from destinations.profiles.claims import Claims, Increment, Link
from destinations.profiles.node import Kind, Node
from destinations.profiles.rows import GroupRow, Terms, UserRow
from destinations.profiles.store import open_profiles
from destinations.profiles.tables import METADATA
from destinations.sql.engine import writing
from destinations.sql.url import DatabaseUrl
from tests.destinations.managing.people import EARLIER, NOW, found, grouped, groups, identified, say, traits

TERMS = Terms("import", "2024-02-20T00:00:00.000Z ", promoted=("email",))
OWN = ("id", "anonymous_id", "anonymous_ids", "user_ids", "groups", "timestamp")
EVERYBODY: tuple[Kind, ...] = ("user_id", "anonymous_id")


def taken(
    database: Engine, content: str | bytes, form: files.Format = "jsonl", shape: Any = UserRow, terms: Terms = TERMS
) -> tuple[int, list[importing.Wrong]]:
    file = io.BytesIO(content.encode() if isinstance(content, str) else content)
    done = list(importing.take_in(database, files.rows(file, form, shape), terms))
    return sum(one.rows for one in done), [wrong for one in done for wrong in one.wrong]


def users_out(database: Engine) -> str:
    with exporting.snapshot(database) as connection:
        return "".join(tabling.as_lines(exporting.users(connection, EVERYBODY)))


def groups_out(database: Engine) -> str:
    with exporting.snapshot(database) as connection:
        return "".join(tabling.as_lines(exporting.groups_with_members(connection)))


def table_out(database: Engine) -> str:
    output = io.StringIO(newline="")
    with exporting.snapshot(database) as connection:
        paths = tabling.columns_of(exporting.all_traits(connection, EVERYBODY))
        list(tabling.as_table(exporting.plain_users(connection, EVERYBODY), OWN, paths, output))
    return output.getvalue()


def test_a_row_of_json_is_a_user_with_ids_and_groups(profiles: Engine) -> None:
    row = {"id": 7, "traits": {"created_at": "2024-02-29"}, "groups": ["acme", 8], "anonymous_ids": ["a1"]}
    assert taken(profiles, json.dumps(row)) == (1, [])
    assert traits(profiles, "7") == {"createdAt": "2024-02-29"}
    assert groups(profiles, "7") == ["8", "acme"]
    assert found(profiles, "a1", "anonymous_id") == found(profiles, "7")
    assert found(profiles, "acme", "group_id") is not None


def test_a_row_of_a_table_is_a_user_too(profiles: Engine) -> None:
    table = (
        "id,email,address.city,address.postalCode,groups,seats,phone,plan\n007,ann@x.org,Oslo,0150,acme;beta,5,,null\n"
    )
    assert taken(profiles, table, "csv") == (1, [])
    address = {"city": "Oslo", "postalCode": "0150"}
    assert traits(profiles, "007") == {"email": "ann@x.org", "address": address, "seats": 5, "plan": None}
    assert groups(profiles, "007") == ["acme", "beta"]
    assert found(profiles, "ann@x.org", "email") is not None  # type: ignore[arg-type]  # promoted from a trait


def test_a_file_taken_twice_undoes_nothing_that_came_between(profiles: Engine) -> None:
    row = '{"id": "ann", "traits": {"plan": "free", "seats": 1}}'
    taken(profiles, row)
    say(profiles, identified("ann", {"plan": "pro"}, "2024-02-21T00:00:00.000Z m-9"))
    before = users_out(profiles)
    taken(profiles, row)
    assert users_out(profiles) == before
    assert traits(profiles, "ann") == {"plan": "pro", "seats": 1}


def test_the_time_of_a_row_counts_unless_another_is_asked_for(profiles: Engine) -> None:
    say(profiles, identified("ann", {"plan": "pro"}))
    old = "id,plan,timestamp\nann,free,2024-01-01\n"
    taken(profiles, old, "csv")
    assert traits(profiles, "ann") == {"plan": "pro"}
    taken(profiles, old, "csv", terms=TERMS._replace(always=True))
    assert traits(profiles, "ann") == {"plan": "free"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[1]", "expected 'object', found 'array'"),
        ('{"id": "u"', "expected one JSON object on a line"),
        ('{"id": ["u"]}', "id: expected 'int | float | str', found 'array'"),
        ('{"id": "u", "trait": {}}', "no such member: 'trait'"),
        ('{"id": "u", "traits": []}', "traits: expected 'object', found 'array'"),
        ('{"traits": {}}', "id: expected the id of a user"),
        ('{"id": "u", "anonymous_id": "a"}', "id: expected the id of a user"),
        ('{"id": "u", "groups": [""]}', "groups: expected ids, found an empty one"),
        ('{"id": "u", "timestamp": "noon"}', "timestamp: expected a date such as 2024-02-29T12:00:00Z, found 'noon'"),
        ('{"id": "u\\u0000"}', "id: expected text, found a null character"),
        ('{"id": "' + "u" * 1001 + '"}', "id: expected at most 1000 characters, found 1001"),
        ('{"id": "u", "history": {"said": [{"by": ["now", ""], "traits": []}]}}', "history: expected a time"),
        ('{"anonymous_id": "a", "user_ids": ["u"]}', "expected only with the id of a user"),
    ],
)
def test_a_wrong_row_is_told_with_its_line_and_the_good_ones_are_taken(tmp_path: Path, line: str, words: str) -> None:
    content = f'\ufeff{{"id": "good"}}\n\n{line}\n{{"id": "fine"}}\n'.encode()
    file = io.BytesIO(content)
    (done,) = importing.try_out(files.rows(file, "jsonl", UserRow), TERMS)
    assert done.rows == 2
    (wrong,) = done.wrong
    assert wrong.line == 3
    assert words in wrong.what


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("id,plan\nu,pro,more\n", "line 2: expected 2 cells, found 3"),
        ("id,address,address.city\nu,here,Oslo\n", "line 2: address.city: expected to be empty"),
        ("id;plan\nu;\udcff\n", "line 2: plan: expected UTF-8"),
        ("id,timestamp\nu,soon\n", "line 2: timestamp: expected a date"),
        ("plan\npro\n", "line 1: expected the names of the columns, id or anonymous_id among them"),
        ("id,plan,plan\n", "line 1: there are two columns called 'plan'"),
        ("id,members\n", "line 1: 'members' is no column of this kind of row; a trait is 'traits.members'"),
        ("", "line 1: expected the names of the columns"),
    ],
)
def test_a_wrong_table_is_told_with_the_line(table: str, words: str) -> None:
    file = io.BytesIO(table.encode(errors="surrogateescape"))
    try:
        (done,) = importing.try_out(files.rows(file, "csv", UserRow), TERMS)
        told = f"line {done.wrong[0].line}: {done.wrong[0].what}"
    except files.BadFile as error:
        told = str(error)
    assert words in told


texts = st.text(max_size=12) | st.sampled_from(["=1+1", "5", "007", "null", '"', "a;b", "-", "true story", "1e5", " "])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
documents = st.dictionaries(st.text(max_size=6) | st.sampled_from(["id", "groups", "traits", "a.b", "a"]), values)


@given(documents, st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)))
def test_a_table_keeps_values_and_ids(document: dict[str, Any], ids: list[str]) -> None:
    output = io.StringIO(newline="")
    row = UserRow(id="u", traits=document, groups=ids)
    list(tabling.as_table([row], ("id", "groups"), tabling.columns_of([document]), output))
    (line,) = files.rows(io.BytesIO(output.getvalue().encode()), "csv", UserRow)
    assert isinstance(line.row, UserRow), line.wrong
    assert (line.row.traits, list(line.row.groups)) == (document, ids)


def test_what_a_spreadsheet_would_run_is_written_in_quotes() -> None:
    assert cells.cell_of("=HYPERLINK(1)") == '"=HYPERLINK(1)"'
    assert cells.id_cell("@id") == '"@id"'
    assert cells.ids_cell(["+1", "2"]) == '["+1","2"]'
    assert cells.cell_of(-5) == "-5"


def empty(database: Engine) -> None:
    with writing(database) as connection:
        for table in METADATA.sorted_tables:
            connection.execute(table.delete())


def stamped(second: int, number: int) -> str:
    return f"2024-02-01T00:00:{second:02d}.000Z m-{number}"


people = st.sampled_from(["ann", "bob", "eve"])
visitors = st.sampled_from(["a1", "a2"])
small = st.dictionaries(
    st.sampled_from(["plan", "email", "n"]), st.sampled_from(["x", 1, None, {"a": [1]}]), max_size=2
)


@st.composite
def said(draw: st.DrawFn) -> Claims:
    stamp = stamped(draw(st.integers(0, 5)), draw(st.integers(0, 3)))
    user, visitor = draw(people), draw(visitors)
    match draw(st.sampled_from(["identify", "group", "alias", "count", "visit", "join", "leave"])):
        case "identify":
            return identified(user, draw(small), stamp, draw(st.sampled_from(["", visitor])))
        case "group":
            return grouped(draw(st.sampled_from(["acme", "beta"])), draw(small), user, stamp)
        case "alias":
            links = (Link(Node("anonymous_id", visitor), user, "alias"), Link(Node("user_id", "old"), user, "alias"))
            nodes = (Node("user_id", user), *(link.node for link in links))
            return Claims(stamp=stamp, source="web", nodes=nodes, links=links)
        case "count":
            node = Node("user_id", user)
            return Claims(stamp=stamp, source="web", nodes=(node,), about=node, increments=(Increment("n", 2),))
        case "visit":
            node = Node("anonymous_id", visitor)
            return Claims(stamp=stamp, source="app", nodes=(node,), about=node, traits=draw(small))
        case "join":
            node = Node("user_id", user)
            nodes = (node, Node("user_id", "eve"))
            return Claims(stamp=stamp, source="operator", nodes=nodes, links=(Link(node, "eve", "manual"),))
        case _:
            left = grouped("acme", {}, user, stamp)
            gone = tuple(one._replace(joined=False) for one in left.memberships)
            return Claims(stamp=stamp, source="operator", nodes=left.nodes, memberships=gone)


def _sorted(lines: str) -> list[Any]:
    """Rows in the order of their ids, with the parts of their history in an order of their own."""
    rows = [json.loads(line) for line in lines.splitlines()]
    for row in rows:
        for name in ("anonymous_ids", "user_ids", "members"):
            row[name] = sorted(row.get(name, []))
        # A number that was counted is as good as set now: then no message is named with its time.
        row["timestamp"] = row["timestamp"][:24]
        for part in row["history"].values():
            part.sort(key=json.dumps)
    return sorted(rows, key=json.dumps)


def test_json_lines_bring_the_same_state_to_an_empty_database_and_change_nothing_in_their_own(tmp_path: Path) -> None:
    one, other = (open_profiles(DatabaseUrl.of_file(tmp_path / name)) for name in ("one.db", "other.db"))

    @settings(max_examples=40)
    @given(batch=st.lists(said(), max_size=12))
    def brings(batch: Sequence[Claims]) -> None:
        for database in (one, other):
            empty(database)
        say(one, *batch)
        people_told, groups_told = users_out(one), groups_out(one)
        for database in (other, one):
            assert taken(database, groups_told, shape=GroupRow)[1] == []
            assert taken(database, people_told)[1] == []
            assert _sorted(users_out(database)) == _sorted(people_told)
            assert _sorted(groups_out(database)) == _sorted(groups_told)

    brings()
    one.dispose()
    other.dispose()


def test_a_table_brings_traits_ids_and_groups_to_an_empty_database(profiles: Engine, tmp_path: Path) -> None:
    say(
        profiles,
        identified("ann", {"email": "ann@x.org", "address": {"city": "Oslo"}, "n": 1}, visitor="a1"),
        Claims(stamp=stamped(59, 1), source="web", about=Node("user_id", "ann"), increments=(Increment("m", 2),)),
        grouped("acme", {"name": "Acme"}, "ann"),
        Claims(stamp=EARLIER, source="web", nodes=(Node("anonymous_id", "a2"),)),
    )
    table = table_out(profiles)
    other = open_profiles(DatabaseUrl.of_file(tmp_path / "other.db"))
    for database in (other, profiles):
        assert taken(database, table, "csv")[1] == []
        assert (traits(database, "ann"), groups(database, "ann")) == (traits(profiles, "ann"), ["acme"])
        assert traits(database, "a1", "anonymous_id") == traits(database, "ann")
        assert traits(database, "a2", "anonymous_id") == {}
        assert table_out(database) == table
    other.dispose()


def test_an_export_sees_one_moment(profiles: Engine) -> None:
    say(profiles, *(identified(f"u{number:04}", {"n": 1}) for number in range(1_500)))
    with exporting.snapshot(profiles) as connection:
        rows = exporting.users(connection)
        first = next(rows)
        managing.edit(profiles, Node("user_id", "u1499"), {"n": 2}, now_ms=NOW)
        rest = list(rows)
    assert {row.traits["n"] for row in (first, *rest)} == {1}
    assert len(rest) == 1_499
