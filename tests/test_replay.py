"""A replay of a whole Turnout: killed in the middle and resumed, everything arrives once, marked and in order."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.ledger import first_deliveries
from tests.receiver import Receiver
from tests.running import Running, running
from tests.waiting import eventually

CONFIG = """
[worker]
processes = 2

[sources.web]
write_keys = ["dev"]
destinations = ["hook"]

[sources.live]
write_keys = ["live"]
destinations = ["hook"]

[destinations.hook]
type = "webhook"
url = "{url}"
allow_private = true
batch_size = 20
"""
MESSAGES = 500


def message(number: int) -> dict[str, Any]:
    return {"type": "track", "event": "Step", "userId": f"u{number % 7}", "messageId": f"m{number:04d}"}


def filled(turnout: Running) -> None:
    """500 messages, delivered and in the archive."""
    for first in range(0, MESSAGES, 100):
        batch = [message(number) for number in range(first, first + 100)]
        assert turnout.post("/v1/batch", {"batch": batch})[0] == 200
    eventually(lambda: settled(turnout, "web"), within=60, what="everything was delivered")


def settled(turnout: Running, source: str) -> bool:
    rows = [row for row in turnout.status()["rows"] if row["source"] == source]
    return all(row["waiting"] == 0 for row in rows)


def arrived(receiver: Receiver) -> list[dict[str, Any]]:
    return [one for request in receiver.requests for one in request.json()]


def replayed(receiver: Receiver) -> list[dict[str, Any]]:
    return [one for one in arrived(receiver) if "_turnout" in one]


def begun(turnout: Running, *words: str) -> "subprocess.Popen[str]":
    """The command, while it runs."""
    return subprocess.Popen(
        turnout._command(["replay", *words]),
        cwd=turnout.directory,
        env={**os.environ, "TURNOUT_DATA": str(turnout.data)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def told(words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(words)
    return found


def in_order(messages: Sequence[Mapping[str, Any]]) -> bool:
    return all(ids == sorted(ids) for ids in first_deliveries(messages).values())


class Live:
    """A client that posts a message whenever somebody looks."""

    def __init__(self, turnout: Running) -> None:
        self._turnout = turnout
        self.ids: list[str] = []

    def while_not(self, condition: Callable[[], object], what: str) -> None:
        def posted() -> object:
            self.ids.append(f"live-{len(self.ids):04d}")
            one = {"type": "track", "event": "Now", "userId": "u", "messageId": self.ids[-1]}
            assert self._turnout.post("/v1/track", one, key="live")[0] == 200
            return condition()

        eventually(posted, within=60, what=what)


@pytest.mark.kill
def test_a_replay_that_is_killed_and_resumed_arrives_once_while_live_messages_flow(tmp_path: Path) -> None:
    with Receiver() as receiver, running(tmp_path, CONFIG.format(url=receiver.url)) as turnout:
        filled(turnout)
        live = Live(turnout)
        command = begun(turnout, "--to", "hook", "--source", "web", "--yes", "--rate", "150/s")
        live.while_not(lambda: len(replayed(receiver)) > 100, "the replay was under way")
        command.send_signal(signal.SIGKILL)
        command.communicate()
        assert len(replayed(receiver)) < MESSAGES
        replay = told(turnout.command("replay", "list", "--json").stdout)
        assert replay["state"] == "running"
        resumed = begun(turnout, "resume", replay["id"], "--json")
        live.while_not(lambda: resumed.poll() is not None, "the replay ended")
        said, _ = resumed.communicate()
        assert resumed.returncode == 0, said
        account = told(said)["account"]
        assert (account["carried"], account["delivered"]) == (MESSAGES, MESSAGES)
        eventually(lambda: settled(turnout, "live"), what="the live messages were delivered")
        again = replayed(receiver)
    assert sorted(one["messageId"] for one in again) == [f"m{number:04d}" for number in range(MESSAGES)]
    assert {one["_turnout"]["replay"] for one in again} == {replay["id"]}
    assert in_order(again)
    assert [one["messageId"] for one in arrived(receiver) if one["event"] == "Now"] == live.ids


def test_a_dry_run_shows_requests_without_secrets_and_sends_nothing(tmp_path: Path) -> None:
    config = CONFIG + '\n[destinations.hook.headers]\nAuthorization = "Bearer hush-hush"\n'
    with Receiver() as receiver, running(tmp_path, config.format(url=receiver.url)) as turnout:
        filled(turnout)
        before = len(receiver.requests)
        words = ("replay", "--to", "hook", "-s", "web", "--user", "u3", "--since", "1h", "--dry-run")
        shown = turnout.command(*words)
        counted = turnout.command(*words, "--json")
        assert len(receiver.requests) == before
        assert turnout.command("replay", "list").stdout == "there are no replays\n"
    assert shown.returncode == 0, shown.stderr
    assert "POST http" in shown.stdout
    assert "Authorization: ***" in shown.stdout
    assert "hush-hush" not in shown.stdout + counted.stdout
    assert shown.stdout.splitlines()[-1] == "nothing was sent"
    assert f"{len(range(3, MESSAGES, 7))} messages of web" in shown.stdout
    assert "hook has had 500 messages from there before" in shown.stdout
    found = told(counted.stdout)
    assert (found["matched"], len(found["requests"])) == (len(range(3, MESSAGES, 7)), 10)


def test_a_replay_is_paused_from_another_terminal_and_cancelled(tmp_path: Path) -> None:
    with Receiver() as receiver, running(tmp_path, CONFIG.format(url=receiver.url)) as turnout:
        filled(turnout)
        command = begun(turnout, "--to", "hook", "-s", "web", "-y", "--rate", "40/s", "--where", "event == 'Step'")
        eventually(lambda: len(replayed(receiver)) > 20, what="the replay was under way")
        replay = told(turnout.command("replay", "list", "--json").stdout)
        assert turnout.command("replay", "pause", replay["id"]).returncode == 0
        said, _ = command.communicate(timeout=20)
        assert command.returncode == 1
        assert f"turnout replay resume {replay['id']}" in said
        cancelled = turnout.command("replay", "cancel", replay["id"])
        assert cancelled.stdout == f"cancelled {replay['id']}\n"
        shown = told(turnout.command("replay", "show", replay["id"], "--json").stdout)
        assert shown["replay"]["state"] == "cancelled"
        account = shown["account"]
        assert account["carried"] == account["delivered"] + account["dropped"]
        refused = turnout.command("replay", "resume", replay["id"])
        assert (refused.returncode, refused.stderr) == (2, f"turnout: replay {replay['id']} is cancelled\n")


def test_ctrl_c_pauses_a_replay_and_says_how_to_go_on(tmp_path: Path) -> None:
    with Receiver() as receiver, running(tmp_path, CONFIG.format(url=receiver.url)) as turnout:
        filled(turnout)
        command = begun(turnout, "--to", "hook", "-s", "web", "-y", "--rate", "40/s")
        eventually(lambda: len(replayed(receiver)) > 20, what="the replay was under way")
        command.send_signal(signal.SIGINT)
        said, _ = command.communicate(timeout=20)
        assert command.returncode == 1
        assert "paused" in said
        assert "Traceback" not in said
        done = turnout.command("replay", "resume", said.split()[-1], "--rate", "10000/s")
        assert done.returncode == 0, done.stderr
        assert sorted(one["messageId"] for one in replayed(receiver)) == [f"m{n:04d}" for n in range(MESSAGES)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "nobody"], "no source goes to a destination 'nobody'"),
        ([], "say where to"),
        (["--to", "console", "-s", "nowhere"], "there is no source 'nowhere'"),
        (["--to", "console", "--where", "userId ="], "at character"),
        (["--to", "console", "--since", "soonish"], "'soonish' is no time"),
        (["--to", "console", "--rate", "fast"], "'fast' is no rate"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(running_turnout: Running, words: list[str], said: str) -> None:
    ended = running_turnout.command("replay", *words)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@pytest.fixture(scope="module")
def running_turnout(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with running(tmp_path_factory.mktemp("turnout")) as turnout:
        yield turnout


def test_nothing_is_sent_without_a_word_of_somebody(running_turnout: Running) -> None:
    assert running_turnout.post("/v1/track", {"userId": "u", "event": "A"})[0] == 200
    eventually(lambda: running_turnout.archived("default") or running_turnout.archived("web"), what="it is archived")
    ended = running_turnout.command("replay", "--to", "console")
    assert ended.returncode == 2, ended.stdout
    assert "say --yes" in ended.stderr
