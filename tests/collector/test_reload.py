"""What a changed configuration means, before anybody follows it."""

import os
from pathlib import Path

import pytest

from collector.config import Config, config_of, load
from collector.reload import Refused, Standing, fixed, reread
from collector.run import NotRunning
from worker.reload import FileWatch

BASE = '[sources.web]\nwrite_keys = ["k"]\n'


def config(text: str = "", *, data: Path | None = None) -> Config:
    return config_of(BASE + text, "turnout.toml", {}, data=data)


@pytest.mark.parametrize(
    "text",
    [
        '[sources.shop]\nwrite_keys = ["s"]',
        '[destinations.hook]\ntype = "console"',
        "[collector.limits]\nbatch_messages = 7",
        '[log]\ndedupe_window = "1h"\ndedupe_ids = 5000',
        "[worker]\nprocesses = 7\naside = 5",
        '[alarms]\noldest = "1h"',
        '[story]\nfailures = "1d"',
    ],
)
def test_what_may_change_while_it_runs(text: str) -> None:
    assert fixed(config(), config(text)) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('[log]\nurl = "redis://other"', "[log] url"),
        ("[log]\npartitions = 4", "[log] partitions"),
        ('[log]\ndurability = "everysec"', "[log] durability"),
        ('[log]\nmemory = "3GiB"', "[log] memory"),
        ('[log]\ntimeout = "9s"', "[log] timeout"),
        ('[rq]\nurl = "redis://other"', "[rq] url"),
        ('[database]\nurl = "postgresql://other/turnout"', "[database] url"),
        ('[collector]\nhost = "::1"', "[collector] host"),
        ("[collector]\nport = 99", "[collector] port"),
        ("[collector]\nbacklog = 99", "[collector] backlog"),
        ('[collector]\nspool = "0"', "[collector] spool"),
    ],
)
def test_what_needs_a_restart_is_named(text: str, name: str) -> None:
    assert fixed(config(), config(text)) == [f"{name} needs a restart; the old configuration goes on"]


def test_another_data_directory_needs_a_restart() -> None:
    (reason,) = fixed(config(), config(data=Path("elsewhere")))
    assert reason.startswith("data needs a restart")


def test_every_mistake_of_a_refused_configuration_is_told() -> None:
    with pytest.raises(Refused) as refused:
        reread(config(), lambda: config("[collector]\nport = 0\ncolour = 1\n[sources.shop]\nwrite_keys = []"))
    assert len(refused.value.reasons) == 3


def test_one_that_counts_on_servers_that_are_gone_is_refused() -> None:
    def read() -> Config:
        raise NotRunning(Path("data"))

    with pytest.raises(Refused, match="no `turnout up` is running"):
        reread(config(), read)


def test_a_file_that_may_have_changed_unseen_is_read_once(tmp_path: Path) -> None:
    file = tmp_path / "turnout.toml"
    file.write_text("a")
    watch = FileWatch(str(file), rest=0)
    watch.doubt()
    assert [watch.changed() for _ in range(3)] == [True, False, False]


def test_a_file_that_has_not_rested_long_enough_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "turnout.toml"
    file.write_text("a")
    watch = FileWatch(str(file), rest=600)
    file.write_text("ab")
    assert [watch.changed() for _ in range(5)] == [False] * 5


def test_a_file_that_another_one_takes_the_place_of_has_changed(tmp_path: Path) -> None:
    file, fresh = tmp_path / "turnout.toml", tmp_path / "fresh"
    file.write_text("a")
    watch = FileWatch(str(file), rest=0)
    fresh.write_text("b")
    os.utime(fresh, ns=(0, file.stat().st_mtime_ns))
    fresh.replace(file)
    assert [watch.changed() for _ in range(2)] == [True, False]


def test_a_file_that_goes_and_comes_back_as_it_was_has_not_changed(tmp_path: Path) -> None:
    file = tmp_path / "turnout.toml"
    file.write_text("a")
    watch = FileWatch(str(file), rest=0)
    file.rename(tmp_path / "away")
    assert not watch.changed(), "an editor is about to put it back"
    (tmp_path / "away").rename(file)
    assert [watch.changed() for _ in range(2)] == [False, False]


def test_who_was_told_to_read_it_does_not_do_so_twice(tmp_path: Path) -> None:
    file = tmp_path / "turnout.toml"
    file.write_text("a")
    watch = FileWatch(str(file), rest=0)
    file.write_text("ab")
    watch.take()
    assert not watch.changed()


def test_up_follows_a_good_file_and_stays_with_the_last_good_one(tmp_path: Path) -> None:
    file = tmp_path / "turnout.toml"
    file.write_text(BASE)
    first = load(file, {})
    noted: list[str] = []
    said: list[str] = []
    standing = Standing(first, lambda: load(file, {}), note=lambda new: noted.append(new.version), say=said.append)
    file.write_text(BASE + "[oops]\n")
    assert not standing.reload()
    assert noted == []
    assert "turnout.toml" in said[0]
    file.write_text(BASE + '[sources.shop]\nwrite_keys = ["s"]\n')
    assert standing.reload()
    assert noted == [load(file, {}).version]
