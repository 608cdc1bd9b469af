"""F26, F27 and F53: a message at which the code of a destination dies, hangs or fails."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.poison import install
from tests.faults.report import Row
from tests.faults.scenarios import SCENARIOS
from tests.faults.stations import letters_in
from tests.ledger import Ledger, compare, whole_lines
from tests.running import Running, running
from tests.waiting import eventually

POISON = "-000033"
MOST_REPEATS = 50 * 6
"""The batch around the poison is tried again after each death, until it is tried alone."""

CONFIG = """
[log]
partitions = 2

[worker]
processes = 2
lease = "4s"
budget = "1s"
backoff = {{ first = "50ms", longest = "200ms", attempts = 3 }}

[sources.web]
write_keys = ["dev"]
archive = false

[destinations.bad]
type = "poisoned"
path = "{directory}/bad.jsonl"
poison = "{poison}"
effect = "{effect}"

[destinations.calm]
type = "file"
path = "{directory}/calm.jsonl"
"""


def lines(file: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in whole_lines(file)]


def waiting(turnout: Running) -> Iterator[int]:
    return (row["waiting"] for row in turnout.status()["rows"])


@pytest.mark.parametrize(
    ("effect", "code"),
    [
        pytest.param("dies", "crashed", marks=pytest.mark.scenario("F53"), id="dies"),
        pytest.param("raises", "adapter_error", marks=[pytest.mark.scenario("F53"), pytest.mark.soak], id="raises"),
        pytest.param("hangs", "crashed", marks=[pytest.mark.scenario("F27"), pytest.mark.soak], id="hangs"),
    ],
)
def test_a_message_that_kills_workers_dies_alone(
    tmp_path: Path, request: pytest.FixtureRequest, tell: Callable[[Row], None], effect: str, code: str
) -> None:
    config = CONFIG.format(directory=tmp_path, poison=POISON, effect=effect)
    with running(tmp_path, config, environment=install(tmp_path / "site")) as turnout:
        with Ledger(turnout, threads=1, pause=0.05) as ledger:
            ledger.grows_by(100)
            owed = ledger.ids()
            eventually(lambda: owed <= {line["messageId"] for line in lines(tmp_path / "calm.jsonl")}, within=20)
        eventually(lambda: not any(waiting(turnout)), within=300, what="nothing waited any more")
        letters = letters_in(turnout, "bad")
    dead = {letter["messageId"] for letter in letters}
    found = compare(ledger, lines(tmp_path / "bad.jsonl"), dead)
    (name,) = request.node.get_closest_marker("scenario").args
    tell(Row(name, SCENARIOS[name].fault, found.messages, found.lost, found.doubled, found.disordered, None))
    assert [(letter["messageId"][-7:], letter["code"]) for letter in letters] == [(POISON, code)]
    assert (found.lost, found.invented, found.disordered) == (0, 0, 0)
    assert found.doubled <= MOST_REPEATS
