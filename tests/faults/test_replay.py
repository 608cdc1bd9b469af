"""F62: the past is sent again while new messages come in, and both are hurt meanwhile."""

import json
import os
import signal
import subprocess
from collections import Counter
from datetime import UTC, datetime

import pytest

from tests.faults.scale import Scale
from tests.faults.town import SOURCE, Town
from tests.faults.trial import IN_HAND, Trial
from tests.ledger import first_deliveries
from tests.running import Role
from tests.waiting import eventually


@pytest.mark.scenario("F62")
def test_a_replay_beside_live_traffic_is_exact_though_it_and_a_worker_are_killed(trial: Trial, scale: Scale) -> None:
    town, began = trial.town, moment()
    with trial.load(pause=0.2) as ledger:
        ledger.grows_by(scale.of(400, 4_000))
        owed = ledger.ids()
        eventually(lambda: owed <= archived(town), within=30, what="what was accepted is in the archive")
        chosen = ["--to", "hook", "--source", SOURCE, "--since", began, "--until", moment()]
        command = replaying(town, *chosen, "--yes", "--rate", "200/s")
        eventually(town.replayed, within=30, what="the replay was under way")
        command.send_signal(signal.SIGKILL)
        command.communicate()
        town.turnout.kill(Role.WORKER)
        (replay,) = [json.loads(line) for line in town.turnout.command("replay", "list", "--json").stdout.splitlines()]
        said, _ = replaying(town, "resume", replay["id"], "--rate", "1000/s", "--json").communicate(timeout=60)
        account = json.loads(said.splitlines()[0])["account"]
        trial.over()
    trial.prove(repeats=2 * IN_HAND)
    again = Counter(message["messageId"] for message in town.replayed())
    mine = {message["messageId"] for message in town.replayed() if message["userId"] in ledger.accepted}
    assert owed <= mine <= ledger.ids()
    assert account["carried"] == account["delivered"] == len(again)
    assert again.total() - len(again) <= IN_HAND
    assert all(ids == sorted(ids) for ids in first_deliveries(town.replayed()).values())


def moment() -> str:
    return datetime.now(UTC).isoformat()


def archived(town: Town) -> set[str]:
    return {message["messageId"] for message in town.turnout.archived(SOURCE)}


def replaying(town: Town, *words: str) -> "subprocess.Popen[str]":
    """`turnout replay`, while it runs."""
    return subprocess.Popen(
        town.turnout._command(["replay", *words]),
        cwd=town.directory,
        env={**os.environ, "TURNOUT_DATA": str(town.turnout.data)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
