"""A configuration that changes under load, and processes that are replaced under load."""

import json
import os
import pty
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.processes import alive
from tests.running import Role, Running, free_port, running
from tests.steady import Steady
from tests.waiting import eventually

CONFIG = """
[worker]
processes = 1

[sources.web]
write_keys = ["dev"]

[destinations.one]
type = "file"
path = "{directory}/one.jsonl"
"""

SECOND = """
[destinations.two]
type = "file"
path = "{directory}/two.jsonl"
"""

SHOP = """
[sources.shop]
write_keys = ["shop-key"]
destinations = ["one"]
"""

MESSAGE = {"userId": "u", "event": "E"}


def config(directory: Path, *parts: str) -> str:
    return "".join([CONFIG, *parts]).format(directory=directory)


def save(directory: Path, text: str) -> None:
    """Like editors do: another file takes its place."""
    fresh = directory / "turnout.toml.new"
    fresh.write_text(text)
    fresh.replace(directory / "turnout.toml")


def health(turnout: Running) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(turnout.request("GET", "/health/ready")[1])
    return found


def in_force(turnout: Running) -> str:
    """The version of the collector's configuration, once `up` has noted the same."""
    version = str(health(turnout)["config"])
    noted = json.loads((turnout.data / "run.json").read_text())["config_version"]
    return version if noted == version else ""


def lines(path: Path) -> list[dict[str, Any]]:
    """The whole ones: the last may still be on its way."""
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def names(path: Path) -> set[str]:
    return {line["messageId"] for line in lines(path)}


def test_a_destination_that_is_added_under_load_gets_everything_from_then_on_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    with running(tmp_path, config(tmp_path)) as turnout:
        with Steady(turnout, event="Before") as before:
            before.grows_by(50)
            first = in_force(turnout)
            save(tmp_path, config(tmp_path, SECOND))
            eventually(lambda: in_force(turnout) not in ("", first), what="the new configuration took over")
            before.grows_by(50)
        with Steady(turnout, event="After") as after:
            after.grows_by(100)
        sent = {*before.accepted, *after.accepted}
        eventually(lambda: names(tmp_path / "one.jsonl") == sent, what="all is in one")
        eventually(lambda: names(tmp_path / "two.jsonl") >= set(after.accepted), what="what came after is in two")
        for load in (before, after):
            assert (set(load.statuses), load.refused, load.broken) == ({200}, 0, 0)
        two = [line["messageId"] for line in lines(tmp_path / "two.jsonl")]
        assert len(two) == len(set(two))
        row = turnout.account("web", "two")
        assert (row["received"], row["waiting"]) == (row["delivered"], 0)


def test_many_reloads_in_a_row_lose_nothing(tmp_path: Path) -> None:
    with running(tmp_path, config(tmp_path)) as turnout, Steady(turnout) as load:
        load.grows_by(20)
        for number in range(20):
            save(tmp_path, config(tmp_path, *[SECOND] * (number % 2)) + f"# change {number}\n")
            turnout.kill(Role.UP, signal.SIGHUP)
            load.grows_by(10)
        version = in_force_of(tmp_path)
        eventually(lambda: in_force(turnout) == version, what="the last configuration took over")
        load.grows_by(20)
        load.__exit__()
        eventually(lambda: names(tmp_path / "one.jsonl") == set(load.accepted), within=40, what="all is in one")
        assert (set(load.statuses), load.refused, load.broken) == ({200}, 0, 0)


def in_force_of(directory: Path) -> str:
    from collector.config import load

    return load(directory / "turnout.toml", {}).version


def test_a_broken_file_is_refused_as_a_whole_and_the_old_configuration_goes_on(tmp_path: Path) -> None:
    with running(tmp_path, config(tmp_path)) as turnout:
        before = eventually(lambda: in_force(turnout))
        save(tmp_path, config(tmp_path, SHOP) + '[destinations.three]\ntype = "webhook"\nurl = "nowhere"\ncolour = 1\n')
        eventually(lambda: "configNote" in health(turnout), what="the refusal is told")
        assert health(turnout)["config"] == before
        assert turnout.post("/v1/track", MESSAGE)[0] == 200
        assert turnout.post("/v1/track", MESSAGE, key="shop-key")[0] == 401
        for word in ("[destinations.three] url", "[destinations.three] colour"):
            assert word in turnout.output, "every mistake is told"
        save(tmp_path, config(tmp_path, SHOP))
        eventually(lambda: turnout.post("/v1/track", MESSAGE, key="shop-key")[0] == 200)
        assert "configNote" not in health(turnout)


def test_the_key_of_a_source_that_is_removed_opens_nothing_any_more(tmp_path: Path) -> None:
    with running(tmp_path, config(tmp_path, SHOP)) as turnout:
        assert turnout.post("/v1/track", MESSAGE, key="shop-key")[0] == 200
        save(tmp_path, config(tmp_path))
        turnout.kill(Role.UP, signal.SIGHUP)
        eventually(lambda: turnout.post("/v1/track", MESSAGE, key="shop-key")[0] == 401)
        assert turnout.post("/v1/track", MESSAGE)[0] == 200


def test_what_cannot_change_while_it_runs_is_named(tmp_path: Path) -> None:
    with running(tmp_path, config(tmp_path)) as turnout:
        before = eventually(lambda: in_force(turnout))
        save(tmp_path, config(tmp_path, SHOP) + "[log]\npartitions = 4\n")
        turnout.kill(Role.UP, signal.SIGHUP)
        words = "[log] partitions needs a restart; the old configuration goes on"
        eventually(lambda: words in turnout.output)
        assert in_force(turnout) == before
        assert turnout.post("/v1/track", MESSAGE, key="shop-key")[0] == 401


@pytest.mark.kill
def test_collectors_replaced_in_good_order_refuse_no_connection_and_break_no_request(tmp_path: Path) -> None:
    with running(tmp_path, config(tmp_path)) as turnout, Steady(turnout) as load:
        for _ in range(2):
            load.grows_by(100)
            turnout.back(turnout.kill(Role.COLLECTOR, signal.SIGTERM), within=90)
        load.grows_by(100)
        load.__exit__()
        eventually(lambda: names(tmp_path / "one.jsonl") == set(load.accepted), within=40, what="all is there")
        assert (set(load.statuses), load.refused, load.broken) == ({200}, 0, 0)


@pytest.mark.kill
def test_a_collector_that_is_killed_leaves_its_connections_waiting_for_the_next(tmp_path: Path) -> None:
    with running(tmp_path, config(tmp_path)) as turnout, Steady(turnout) as load:
        load.grows_by(100)
        turnout.back(turnout.kill(Role.COLLECTOR))
        load.grows_by(100)
        load.__exit__()
        assert (set(load.statuses), load.refused) == ({200}, 0)
        eventually(lambda: names(tmp_path / "one.jsonl") >= set(load.accepted), within=40, what="all is there")


def test_a_terminal_that_closes_stops_it_as_ever(tmp_path: Path) -> None:
    port = free_port()
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        words = ["-P", "-m", "collector.cli.main", "up", "--port", str(port)]
        os.execv(sys.executable, [sys.executable, *words])  # noqa: S606  # no shell is wanted
    turnout = Running(tmp_path, port, "dev", {})
    eventually(turnout.ready, within=60, what="turnout up became ready")
    os.kill(pid, signal.SIGHUP)
    eventually(lambda: turnout.post("/v1/track", MESSAGE)[0] == 200)
    assert alive(pid), "asked to reload"
    os.close(terminal)
    ended = eventually(lambda: os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG), within=30, what="its end")
    assert ended is not None
    assert (ended.si_code, ended.si_status) == (os.CLD_EXITED, 0)
    assert not turnout.ready()
