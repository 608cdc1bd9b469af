"""What becomes of messages at the destination: kept once, by several at a time, and later when the database is away."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, func, select

from destinations.builtin.profiles import Profiles, ProfilesSettings
from destinations.outcome import Deferred, Delivered
from destinations.profiles.claims import Claims, Link, claims_of
from destinations.profiles.node import Node
from destinations.profiles.reading import number_of
from destinations.profiles.store import apply, open_profiles
from destinations.profiles.tables import LINKS, NODES
from destinations.sql.engine import reading
from destinations.sql.url import DatabaseUrl
from tests.destinations.messages import envelope
from tests.destinations.profiles.dump import everything
from tests.destinations.profiles.model import expected
from tests.destinations.profiles.people import Town
from worker.config import Config
from worker.database.engine import url_of

STAMP = "2024-05-06T07:08:09.123Z"


def identify(number: int, user: str, visitor: str, **traits: object) -> Claims:
    counting = {"operations": [{"op": "increment", "trait": "n", "by": 1}]}
    message = envelope(number, type="identify", userId=user, anonymousId=visitor, traits=traits, context=counting)
    return claims_of(message.open(), "web", ("email",))


def test_a_message_that_comes_again_is_counted_once(town: Town) -> None:
    message = envelope(1, type="identify", context={"operations": [{"op": "increment", "trait": "n", "by": 2}]})
    for _ in range(3):
        assert town.destination.deliver([message, message], 0.0) == [Delivered()] * 2
    found = town.knows("user_id", "u1")
    assert found is not None
    assert found.values() == {"n": 2}


def test_one_message_id_at_two_times_is_counted_once(town: Town) -> None:
    for at in ("2024-05-06T07:00:00.001Z", "2024-05-06T07:00:00.000Z"):
        operations = {"operations": [{"op": "increment", "trait": "n", "by": 1}]}
        town.hears("identify", at, userId="u", messageId="same", context=operations)
    found = town.knows("user_id", "u")
    assert found is not None
    assert found.values() == {"n": 1}


def test_a_visitor_counts_and_its_user_inherits_the_sum(town: Town) -> None:
    operations = {"operations": [{"op": "increment", "trait": "visits", "by": 1}]}
    town.hears("identify", anonymousId="a", context=operations)
    town.hears("identify", userId="u", anonymousId="a", context=operations)
    found = town.knows("anonymous_id", "a")
    assert found is not None
    assert (found.id, found.values()) == ("u", {"visits": 2})


def test_several_write_to_the_same_users_at_the_same_time(database_config: Config, profiles: Engine) -> None:
    world = [identify(number, f"u{number % 5}", f"a{number % 7}", last=number) for number in range(120)]
    troubles: list[BaseException] = []

    def write(mine: list[Claims]) -> None:
        database = open_profiles(url_of(database_config))
        try:
            for start in range(0, len(mine), 6):
                apply(database, mine[start : start + 6])
        except BaseException as error:  # noqa: BLE001  # told by the test
            troubles.append(error)
        finally:
            database.dispose()

    threads = [threading.Thread(target=write, args=([*world[start:], *world[:start]],)) for start in (0, 30, 60, 90)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not troubles
    assert everything(profiles) == expected(world)


def test_while_the_database_is_away_messages_wait(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    destination = Profiles("profiles", ProfilesSettings(url=DatabaseUrl(f"sqlite:///{tmp_path / 'file' / 'p.db'}")))
    (outcome,) = destination.deliver([envelope(type="identify")], 0.0)
    assert isinstance(outcome, Deferred)
    assert (outcome.scope, "cannot be used" in outcome.reason) == ("destination", True)


def test_a_server_that_does_not_answer_is_found_without_its_password() -> None:
    url = DatabaseUrl("postgresql://turnout:hunter2@127.0.0.1:1/people")
    trouble = Profiles("profiles", ProfilesSettings(url=url)).check()
    assert trouble is not None
    assert trouble.startswith("the database at postgresql://***@127.0.0.1:1/people cannot be used: ")
    assert "hunter2" not in trouble


def test_an_event_is_written_again_when_the_database_was_away_the_first_time(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("")
    destination = Profiles("profiles", ProfilesSettings(url=DatabaseUrl(f"sqlite:///{tmp_path / 'in' / 'p.db'}")))
    destination.deliver([envelope()], 0.0)
    (tmp_path / "in").unlink()
    assert destination.deliver([envelope()], 0.0) == [Delivered()]
    destination.close()
    database = open_profiles(destination.settings.url)
    with reading(database) as connection:
        assert number_of(connection, "user_id", "u1") is not None
    database.dispose()


def test_events_of_somebody_who_was_seen_write_nothing(town: Town) -> None:
    statements: list[str] = []
    town.hears("track", userId="u", event="E")
    engine = town.destination.__dict__["_database"]
    event.listen(engine, "before_cursor_execute", lambda *said: statements.append(said[2]))
    town.hears("track", userId="u", event="E")
    town.hears("page", userId="u", anonymousId="a")
    assert statements == []
    town.hears("track", at="2024-05-06T09:00:00.000Z", userId="u", event="E")
    assert statements != []


def test_what_integrations_say_is_about_others(town: Town) -> None:
    assert town.destination.storage


@pytest.mark.parametrize("shared", ["visitor", "user"])
def test_an_id_that_everybody_shares_costs_no_more_each_time(profiles: Engine, shared: str) -> None:
    """What is read and written for the next one does not grow with those before it."""

    def next_one(number: int) -> Claims:
        user, visitor = (f"u{number}", "null") if shared == "visitor" else ("guest", f"a{number}")
        return identify(number, user, visitor)

    apply(profiles, [next_one(number) for number in range(300)])
    rows: list[int] = []
    event.listen(profiles, "after_cursor_execute", lambda *said: rows.append(said[1].rowcount))
    apply(profiles, [next_one(300)])
    with reading(profiles) as connection:
        assert connection.execute(select(func.count()).select_from(NODES)).scalar() == 302
        assert connection.execute(select(func.count()).select_from(LINKS)).scalar() == 301
    assert sum(max(count, 0) for count in rows) < 20


def test_what_is_forgotten_leaves_nothing_and_does_not_come_back(profiles: Engine) -> None:
    old = [identify(1, "ann", "a", email="ann@example.com"), identify(2, "bob", "a", email="bob@example.com")]
    alias = Claims(
        stamp=f"{STAMP} m3",
        source="web",
        nodes=(Node("anonymous_id", "b"),),
        links=(Link(Node("anonymous_id", "b"), "ann", "alias"),),
    )
    gone = Claims(stamp="2024-05-07T00:00:00.000Z x", source="", erases=(Node("user_id", "ann"),))
    for world in ([*old, alias, gone], [gone, *old, alias], [*old, alias, gone, *old, alias]):
        for one in world:
            apply(profiles, [one])
        with reading(profiles) as connection:
            assert number_of(connection, "user_id", "ann") is None
            assert number_of(connection, "email", "ann@example.com") is None
            # Who was said to be Ann is somebody else now: Bob, or nobody else at all.
            assert number_of(connection, "anonymous_id", "a") == number_of(connection, "user_id", "bob")
            assert number_of(connection, "anonymous_id", "b") is not None
            assert not connection.execute(select(LINKS).where(LINKS.c.user == "ann")).all()
