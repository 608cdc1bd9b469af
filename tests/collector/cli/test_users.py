"""`turnout users` and `turnout groups`: what they show, what they change, what they take in and write out."""

import csv
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from destinations.profiles.store import open_profiles
from destinations.sql.url import DatabaseUrl
from tests.collector.cli.conftest import Turnout
from tests.destinations.managing.people import grouped, groups, identified, say, traits

CONFIG = """
[sources.web]
write_keys = ["a-long-write-key"]

[destinations.profiles]
type = "profiles"
"""


@pytest.fixture
def profiles(turnout: Turnout, tmp_path: Path) -> Iterator[Engine]:
    """What the commands see."""
    (tmp_path / "turnout.toml").write_text(CONFIG)
    (tmp_path / "data").mkdir()
    engine = open_profiles(DatabaseUrl.of_file(tmp_path / "data" / "profiles.db"))
    yield engine
    engine.dispose()


@pytest.fixture
def ann(profiles: Engine) -> Engine:
    """Two users and a group."""
    say(
        profiles,
        identified("ann", {"email": "ann@x.org", "firstName": "Ann", "lastName": "Lee"}, visitor="a1"),
        identified("bob", {"email": "bob@x.org", "name": "Bob \x1b[2J", "plan": "free"}),
        grouped("acme", {"name": "Acme", "type": "company"}, "ann"),
    )
    return profiles


def test_users_are_listed_by_id_with_their_names(turnout: Turnout, ann: Engine) -> None:
    shown = turnout("users", "list")
    assert shown.code == 0
    assert [line.split()[0] for line in shown.lines] == ["id", "ann", "bob"]
    assert "Ann Lee" in shown.out
    assert "\x1b" not in shown.out
    assert turnout("users", "list", "--prefix", "x").out == "there are no such users\n"


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (["--prefix", "b"], ["bob"]),
        (["--email", "ann@x.org"], ["ann"]),
        (["--name", "LEE"], ["ann"]),
        (["--after", "ann"], ["bob"]),
        (["-n", "1"], ["ann"]),
        (["--visitors"], []),
    ],
)
def test_options_pick_users(turnout: Turnout, ann: Engine, options: list[str], ids: list[str]) -> None:
    found = turnout("users", "list", "--json", *options)
    assert [json.loads(line)["id"] for line in found.lines] == ids
    assert found.err == ("there may be more: --after ann\n" if options == ["-n", "1"] else "")


def test_one_is_shown_with_when_and_where_each_trait_was_said(turnout: Turnout, ann: Engine) -> None:
    say(ann, identified("bob", {}, "2024-02-02T00:00:00.000Z m-3", visitor="a1"))
    shown = turnout("users", "show", "ann@x.org", "--by", "email")
    assert all(len(line) <= 80 for line in shown.lines)
    for words in ("user ann", "2024-02-01T12:00", "web", "ann@x.org", "acme", "anonymous_id", "not held to be true"):
        assert words in shown.out
    told = json.loads(turnout("users", "show", "a1", "--json").out)
    assert told["traits"]["firstName"] == {"value": "Ann", "timestamp": "2024-02-01T12:00:00.000Z", "source": "web"}
    assert (told["id"], told["groups"]) == ("ann", ["acme"])
    assert [(one["id"], one["user"]) for one in told["refused"]] == [("a1", "bob")]


def test_traits_are_set_within_objects_and_unset(turnout: Turnout, ann: Engine) -> None:
    done = turnout("users", "edit", "a1", "--set", "address.city=Oslo", "--set", "seats:=5", "--unset", "email")
    assert done.out == "changed address, seats, email of a1\n"
    assert turnout("users", "edit", "ann", "--set", "address.street=Main").code == 0
    found = traits(ann, "ann")
    assert (found["address"], found["seats"], found["email"]) == ({"city": "Oslo", "street": "Main"}, 5, None)


def test_an_address_set_by_hand_finds_the_user(turnout: Turnout, ann: Engine) -> None:
    turnout("users", "edit", "ann", "--set", "email=new@x.org")
    assert json.loads(turnout("users", "show", "new@x.org", "--by", "email", "--json").out)["id"] == "ann"


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (["users", "show", "amn"], 1, "there is no user or visitor 'amn'"),
        (["users", "edit", "amn", "--set", "a=b"], 1, "there is no user or visitor 'amn'"),
        (["users", "edit", "ann"], 2, "what is to change? Say --set, --unset or --file"),
        (["users", "edit", "ann", "--set", "email.city=x"], 2, "'email.city' does not lead into these traits"),
        (["users", "join", "bob", "ann"], 2, "Nobody is here to answer: say --yes"),
        (["users", "join", "bob", "amn", "--yes"], 1, "there is no user 'amn'"),
        (["users", "split", "bob"], 1, "bob was not joined by hand to anybody"),
        (["users", "import", "none.csv"], 2, "none.csv cannot be read: No such file"),
        (["users", "export", "people.txt"], 2, "Say --format jsonl or --format csv"),
        (["groups", "show", "acmo"], 1, "there is no group 'acmo'"),
        (["groups", "create", "acme"], 1, "there is a group 'acme' already"),
        (["groups", "edit", "acmo", "--name", "A"], 1, "there is no group 'acmo'"),
        (["groups", "delete", "acmo", "--yes"], 1, "there is no group 'acmo'"),
        (["groups", "delete", "acme"], 2, "Delete 'acme', with 1 member? Nobody is here to answer"),
        (["groups", "add", "acme", "bob", "amn"], 1, "there is no user 'amn'"),
    ],
)
def test_what_cannot_be_done_is_told(turnout: Turnout, ann: Engine, command: list[str], code: int, words: str) -> None:
    ended = turnout(*command)
    assert ended.code == code
    assert words in ended.err
    assert groups(ann, "bob") == []


def test_two_users_are_joined_and_taken_apart(turnout: Turnout, ann: Engine) -> None:
    assert turnout("users", "join", "bob", "ann", "--yes").out == "bob is ann\n"
    assert traits(ann, "bob") == traits(ann, "ann")
    assert turnout("users", "join", "bob", "ann", "--yes").out == "bob was ann already\n"
    assert turnout("users", "split", "bob").out == "bob is on its own again\n"
    assert traits(ann, "bob")["plan"] == "free"


def test_a_group_is_made_changed_filled_emptied_and_deleted(turnout: Turnout, ann: Engine) -> None:
    assert turnout("groups", "create", "beta", "--name", "Beta", "--type", "team").out == "made beta\n"
    assert turnout("groups", "edit", "beta", "--set", "plan=pro").code == 0
    assert traits(ann, "beta", "group_id") == {"name": "Beta", "type": "team", "plan": "pro"}
    assert turnout("groups", "add", "beta", "ann", "bob").out == "added 2 members to beta\n"
    assert turnout("groups", "remove", "beta", "bob").out == "removed 1 member from beta\n"
    listed = [json.loads(line) for line in turnout("groups", "list", "--json").lines]
    assert [(one["id"], one["members"]) for one in listed] == [("acme", 1), ("beta", 1)]
    assert len(turnout("groups", "list", "--type", "team", "--json").lines) == 1
    shown = turnout("groups", "show", "beta")
    assert "ann" in shown.out
    assert all(len(line) <= 80 for line in shown.lines)
    assert json.loads(turnout("groups", "show", "beta", "--json").out)["members"] == [{"type": "user_id", "id": "ann"}]
    assert turnout("groups", "delete", "beta", "--yes").out == "deleted beta, with 1 member\n"
    assert groups(ann, "ann") == ["acme"]


def test_good_rows_are_taken_and_wrong_ones_named(turnout: Turnout, profiles: Engine, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id,plan,groups\nu1,pro,acme\n,free,\nu2,free,\n")
    tried = turnout("users", "import", "people.csv", "--dry-run")
    assert (tried.code, tried.out) == (1, "good: 2 rows, 1 is wrong; nothing was taken\n")
    assert turnout("users", "list").out == "there are no such users\n"
    done = turnout("users", "import", "people.csv")
    assert (done.code, done.out) == (1, "took 2 rows, 1 is wrong\n")
    assert done.err.startswith("line 3: id: expected the id of a user here")
    assert (traits(profiles, "u1"), groups(profiles, "u1")) == ({"plan": "pro"}, ["acme"])
    told = json.loads(turnout("users", "import", "people.csv", "--json").out)
    assert (told["taken"], told["wrong"], told["rows"][0]["line"]) == (2, 1, 3)


def test_what_was_written_out_comes_back(turnout: Turnout, ann: Engine, tmp_path: Path) -> None:
    for kind, name in (("users", "people.jsonl"), ("users", "people.csv"), ("groups", "groups.jsonl")):
        written = turnout(kind, "export", name)
        assert written.code == 0
        assert written.err == f"wrote {2 if kind == 'users' else 1} row{'s' if kind == 'users' else ''} to {name}\n"
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
        form = name.partition(".")[2]
        before = turnout(kind, "export", "--format", form).out
        assert turnout(kind, "import", name).code == 0
        assert turnout(kind, "export", "--format", form).out == before
    rows = list(csv.DictReader((tmp_path / "people.csv").read_text().splitlines()))
    assert [(row["id"], row["groups"], row["anonymous_ids"]) for row in rows] == [
        ("ann", "acme", "a1"),
        ("bob", "", ""),
    ]
    picked = turnout("users", "export", "--format", "csv", "--traits", "plan,email").lines
    assert picked[0] == "id,anonymous_ids,user_ids,groups,timestamp,plan,email"


def test_without_a_place_for_profiles_the_commands_say_so(turnout: Turnout, tmp_path: Path) -> None:
    (tmp_path / "turnout.toml").write_text(CONFIG + "enabled = false\n[destinations.hook]\ntype = 'console'\n")
    ended = turnout("users", "list")
    assert ended.code == 2
    assert "no destination of type profiles is switched on" in ended.err
