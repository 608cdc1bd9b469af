"""Opening the database: as a file, by a url, many processes at once, and what is said when it cannot be opened."""

import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, insert, select, text

from destinations.sql.engine import reading, writing
from destinations.sql.errors import DatabaseAway
from destinations.sql.url import DatabaseUrl
from tests import databases
from tests.worker.rig import exit_code, forked
from worker.config import Config, DatabaseSettings
from worker.database.engine import HISTORY, open_database, try_database
from worker.database.tables import METADATA, MOVED


def test_a_new_database_has_the_tables_that_the_program_works_with(database: Engine) -> None:
    with database.connect() as connection:
        options = {"compare_type": False, "include_object": only_known}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), METADATA) == []


def only_known(found: object, name: str | None, kind: str, *_: object) -> bool:
    return kind != "table" or name in METADATA.tables


def test_opening_it_again_changes_nothing(database_config: Config) -> None:
    with databases.opened(database_config) as first, writing(first) as connection:
        connection.execute(insert(MOVED).values(stream="s", entries="[]"))
    with databases.opened(database_config) as again, reading(again) as connection:
        assert connection.execute(select(MOVED.c.stream)).scalars().all() == ["s"]


def test_processes_that_open_it_at_the_same_time_all_get_it(database_config: Config) -> None:
    def child() -> None:
        open_database(database_config).dispose()

    with forked(child) as one, forked(child) as two, forked(child) as three:
        assert [exit_code(one), exit_code(two), exit_code(three)] == [0, 0, 0]
    with databases.opened(database_config) as engine, engine.connect() as connection:
        assert HISTORY.version_of(connection) == HISTORY.newest()


def test_a_database_of_a_later_version_is_left_alone(database_config: Config) -> None:
    with databases.opened(database_config) as engine, engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseAway, match=r"a later version of Turnout has changed it \(to 9999;"):
        open_database(database_config)


def test_what_fails_halfway_leaves_nothing_behind(database: Engine) -> None:
    with pytest.raises(KeyError), writing(database) as connection:  # noqa: PT012
        connection.execute(insert(MOVED).values(stream="s", entries="[]"))
        raise KeyError
    with reading(database) as connection:
        assert connection.execute(select(MOVED.c.stream)).all() == []


def test_writers_that_read_first_wait_for_each_other(database: Engine) -> None:
    with writing(database) as connection:
        connection.execute(insert(MOVED).values(stream="s", entries="0"))

    def add(_: int) -> None:
        with writing(database) as connection:
            found = connection.execute(select(MOVED.c.entries).with_for_update()).scalar_one()
            connection.execute(MOVED.update().values(entries=str(int(found) + 1)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(40)))
    with reading(database) as connection:
        assert connection.execute(select(MOVED.c.entries)).scalar_one() == "40"


def test_reading_goes_on_while_somebody_writes(database: Engine) -> None:
    with writing(database) as writer:
        writer.execute(insert(MOVED).values(stream="s", entries="[]"))
        with reading(database) as reader:
            assert reader.execute(select(MOVED.c.stream)).all() == []


def test_the_file_is_for_our_user_only_and_safe_against_loss_of_power(tmp_path: Path) -> None:
    with databases.opened(databases.in_file(tmp_path)) as engine:
        with engine.connect() as connection:
            assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
            assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
        for file in tmp_path.glob("turnout.db*"):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_that_is_no_database_is_named_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "turnout.db").write_text("not a database at all, but long enough to look at it" * 100)
    with pytest.raises(DatabaseAway) as told:
        open_database(databases.in_file(tmp_path))
    expected = f"the database at sqlite:///{tmp_path}/turnout.db cannot be used: file is not a database"
    assert str(told.value) == expected


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseAway, match="Not a directory"):
        open_database(databases.in_file(tmp_path / "file" / "data"))


def test_a_server_that_is_away_is_named_without_its_password(tmp_path: Path) -> None:
    url = DatabaseUrl(f"postgresql://ann:hidden@/turnout?host={tmp_path}&password=hidden")
    with pytest.raises(DatabaseAway) as told:
        open_database(Config(database=DatabaseSettings(url=url)))
    assert "postgresql://***@/turnout" in str(told.value)
    assert "No such file" in str(told.value)
    assert "hidden" not in str(told.value)


def test_a_database_that_goes_away_later_is_named_too(tmp_path: Path) -> None:
    with databases.opened(databases.in_file(tmp_path)) as engine:
        lock = sqlite3.connect(tmp_path / "turnout.db", isolation_level=None)
        lock.execute("DROP TABLE moved")
        lock.close()
        with pytest.raises(DatabaseAway, match="no such table"), reading(engine) as connection:
            connection.execute(select(MOVED)).all()


def test_to_try_it_changes_nothing(database_config: Config) -> None:
    try_database(database_config)
    assert not list(database_config.data.glob("turnout.db*"))
    with databases.opened(database_config):
        try_database(database_config)


def test_to_try_one_that_is_away_is_trouble(tmp_path: Path) -> None:
    with pytest.raises(DatabaseAway):
        try_database(Config(database=DatabaseSettings(url=DatabaseUrl(f"postgresql:///turnout?host={tmp_path}"))))


def test_the_data_directory_is_made(tmp_path: Path) -> None:
    with databases.opened(databases.in_file(tmp_path / "a" / "b")):
        assert os.listdir(tmp_path / "a" / "b")
