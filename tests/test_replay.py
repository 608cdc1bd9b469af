"""A replay of a whole Turnout: killed in the middle and resumed, everything arrives once, marked and in order."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
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

[destinations.hook.headers]
X-Own = "Bearer hush-hush"
"""
MESSAGES = 500


def message(number: int) -> dict[str, Any]:
    return {"type": "track", "event": "Step", "userId": f"u{number % 7}", "messageId": f"m{number:04d}"}


class Stage:
    """A Turnout with 500 messages that were delivered and are in the archive, and what its destination got."""

    old: frozenset[str] = frozenset()
    """Replays of earlier tests."""

    def __init__(self, turnout: Running, receiver: Receiver) -> None:
        self.turnout = turnout
        self.receiver = receiver
        for first in range(0, MESSAGES, 100):
            batch = [message(number) for number in range(first, first + 100)]
            assert turnout.post("/v1/batch", {"batch": batch})[0] == 200
        eventually(lambda: len(arrived(receiver)) == MESSAGES, within=60, what="everything was delivered")
        eventually(lambda: len(turnout.archived("web")) == MESSAGES, what="everything is in the archive")

    def replayed(self) -> list[dict[str, Any]]:
        """What the newest replay has brought."""
        marked = [one for one in arrived(self.receiver) if "_turnout" in one]
        return [one for one in marked if one["_turnout"]["replay"] not in self.old]

    def begun(self, *words: str) -> "subprocess.Popen[str]":
        """The command, while it runs."""
        self.old = frozenset(one["_turnout"]["replay"] for one in arrived(self.receiver) if "_turnout" in one)
        return begun(self.turnout, *words)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    directory = tmp_path_factory.mktemp("turnout")
    with Receiver() as receiver, running(directory, CONFIG.format(url=receiver.url)) as turnout:
        yield Stage(turnout, receiver)


def arrived(receiver: Receiver) -> list[dict[str, Any]]:
    return [one for request in receiver.requests for one in request.json()]


def begun(turnout: Running, *words: str) -> "subprocess.Popen[str]":
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
    found: dict[str, Any] = json.loads(words.splitlines()[0])
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


ALL = [f"m{number:04d}" for number in range(MESSAGES)]


@pytest.mark.kill
def test_a_replay_that_is_killed_and_resumed_arrives_once_while_live_messages_flow(stage: Stage) -> None:
    live = Live(stage.turnout)
    command = stage.begun("--to", "hook", "--source", "web", "--yes", "--rate", "150/s")
    live.while_not(lambda: len(stage.replayed()) > 100, "the replay was under way")
    command.send_signal(signal.SIGKILL)
    command.communicate()
    assert len(stage.replayed()) < MESSAGES
    replay = told(stage.turnout.command("replay", "list", "--json").stdout)
    assert replay["state"] == "running"
    resumed = begun(stage.turnout, "resume", replay["id"], "--json")
    live.while_not(lambda: resumed.poll() is not None, "the replay ended")
    said, _ = resumed.communicate()
    assert resumed.returncode == 0, said
    account = told(said)["account"]
    assert (account["carried"], account["delivered"]) == (MESSAGES, MESSAGES)
    assert sorted(one["messageId"] for one in stage.replayed()) == ALL
    assert in_order(stage.replayed())
    headers = [request.headers.get("x-turnout-replay") for request in stage.receiver.requests]
    assert set(headers) == {None, replay["id"]}

    def came() -> list[str]:
        return [one["messageId"] for one in arrived(stage.receiver) if one["event"] == "Now"]

    eventually(lambda: len(came()) >= len(live.ids), what="the live messages were delivered")
    assert came() == live.ids
    story = json.loads(stage.turnout.command("where", ALL[7], "--json").stdout)
    (again,) = [one for one in story["copies"][0]["journeys"] if "replay" in one]
    assert (again["destination"], again["replay"], again["state"]) == ("hook", replay["id"], "delivered")
    audit = stage.turnout.command("audit")
    assert audit.returncode == 0, audit.stdout


def test_a_dry_run_shows_requests_without_secrets_and_sends_nothing(stage: Stage) -> None:
    before = len(stage.receiver.requests)
    words = ("replay", "--to", "hook", "-s", "web", "--user", "u3", "--since", "1h", "--dry-run")
    shown = stage.turnout.command(*words)
    counted = stage.turnout.command(*words, "--json")
    assert len(stage.receiver.requests) == before
    assert shown.returncode == 0, shown.stderr
    assert "POST http" in shown.stdout
    assert "X-Own: ***" in shown.stdout
    assert "hush-hush" not in shown.stdout + counted.stdout
    assert shown.stdout.splitlines()[-1] == "nothing was sent"
    assert f"{len(range(3, MESSAGES, 7))} messages of web" in shown.stdout
    assert "hook has had 500 messages from there before" in shown.stdout
    found = told(counted.stdout)
    assert (found["matched"], len(found["requests"])) == (len(range(3, MESSAGES, 7)), 10)


def test_a_replay_is_paused_from_another_terminal_and_cancelled(stage: Stage) -> None:
    command = stage.begun("--to", "hook", "-s", "web", "-y", "--rate", "20/s", "--where", "event == 'Step'")
    eventually(lambda: len(stage.replayed()) > 5, what="the replay was under way")
    replay = told(stage.turnout.command("replay", "list", "--json").stdout)
    assert stage.turnout.command("replay", "pause", replay["id"]).returncode == 0
    said, _ = command.communicate(timeout=20)
    assert command.returncode == 1
    assert f"turnout replay resume {replay['id']}" in said
    cancelled = stage.turnout.command("replay", "cancel", replay["id"])
    assert cancelled.stdout == f"cancelled {replay['id']}\n"
    shown = told(stage.turnout.command("replay", "show", replay["id"], "--json").stdout)
    assert shown["replay"]["state"] == "cancelled"
    account = shown["account"]
    assert account["carried"] == account["delivered"] + account["dropped"]
    refused = stage.turnout.command("replay", "resume", replay["id"])
    assert (refused.returncode, refused.stderr) == (2, f"turnout: replay {replay['id']} is cancelled\n")


def test_ctrl_c_pauses_a_replay_and_says_how_to_go_on(stage: Stage) -> None:
    command = stage.begun("--to", "hook", "-s", "web", "-y", "--rate", "20/s")
    eventually(lambda: len(stage.replayed()) > 5, what="the replay was under way")
    command.send_signal(signal.SIGINT)
    said, _ = command.communicate(timeout=20)
    assert command.returncode == 1
    assert "paused" in said
    assert "Traceback" not in said
    done = stage.turnout.command("replay", "resume", said.split()[-1], "--rate", "10000/s")
    assert done.returncode == 0, done.stderr
    assert sorted(one["messageId"] for one in stage.replayed()) == ALL


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "nobody"], "no source goes to a destination 'nobody'"),
        ([], "say where to"),
        (["--to", "hook", "-s", "nowhere"], "there is no source 'nowhere'"),
        (["--to", "hook", "--where", "userId ="], "at character"),
        (["--to", "hook", "--since", "soonish"], "'soonish' is no time"),
        (["--to", "hook", "--rate", "fast"], "'fast' is no rate"),
        (["--to", "hook", "-s", "web"], "say --yes"),
        (["show", "r00000"], "there is no replay 'r00000'"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(stage: Stage, words: list[str], said: str) -> None:
    ended = stage.turnout.command("replay", *words)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
