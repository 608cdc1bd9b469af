"""`turnout quarantine`: what it shows, what it releases, what it lets go."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.collector.cli import offline
from tests.collector.cli.conftest import Turnout
from tests.worker.refusals.refusals import body, refusal, refuse
from worker import keys
from worker.embedded import Server


@pytest.fixture
def log(turnout: Turnout, tmp_path: Path, log_process: Server, rq_process: Server) -> Iterator["redis.Redis"]:
    """An empty log that the commands reach."""
    offline.configured(tmp_path, log_process, rq_process)
    client = offline.emptied(log_process)
    yield client
    client.close()


def appended(client: "redis.Redis") -> int:
    return sum(client.xlen(keys.log(partition, "web")) for partition in range(4))


def test_what_was_refused_this_moment_is_listed(turnout: Turnout, log: redis.Redis) -> None:
    refuse(log, refusal({"event": "A"}), refusal({"event": "A"}))
    shown = turnout("quarantine", "list")
    assert shown.lines[0].split() == ["id", "came", "times", "source", "path", "what", "is", "wrong"]
    assert "/v1/track" in shown.out
    (found,) = map(json.loads, turnout("quarantine", "list", "--json").lines)
    assert (found["count"], json.loads(found["raw"])) == (2, {"event": "A"})


def test_options_pick_refusals(turnout: Turnout, log: redis.Redis) -> None:
    refuse(log, refusal({"event": "A"}), body(b"{"))
    (one,) = map(json.loads, turnout("quarantine", "list", "--rule", "invalid_json", "--json").lines)
    assert one["raw"] == "{"
    assert turnout("quarantine", "list", "--since", "1h").out == "nothing of that kind is in quarantine\n"
    assert turnout("quarantine", "list", "--source", "other").out == "nothing of that kind is in quarantine\n"
    assert len(turnout("quarantine", "list", "--until", "2024-03-01", "--json").lines) == 2


def test_refusals_are_counted_by_rule(turnout: Turnout, log: redis.Redis) -> None:
    refuse(log, refusal({"event": "A"}), refusal({"event": "B"}), refusal({"event": "B"}))
    (group,) = map(json.loads, turnout("quarantine", "list", "--group", "--json").lines)
    assert (group["rule"], group["arrivals"], group["refusals"]) == ("userId:anyOf", 3, 2)
    shown = turnout("quarantine", "list", "--group")
    assert '"userId" is missing' in shown.out
    assert all(len(line) <= 80 for line in shown.lines)


def test_one_is_shown_with_every_violation_and_what_was_sent(turnout: Turnout, log: redis.Redis) -> None:
    refuse(log, refusal({"event": "A\x1b", "messageId": "m1"}))
    shown = turnout("quarantine", "show", "1").out
    for words in ("refusal 1: a message to web /v1/track", '"userId" is missing', '"messageId":"m1"'):
        assert words in shown
    assert turnout("quarantine", "show", "2").code == 1


def test_a_repaired_message_is_released(turnout: Turnout, log: redis.Redis) -> None:
    refuse(log, refusal({"event": "A"}))
    still = turnout("quarantine", "release", "1")
    assert (still.code, still.out) == (1, "released 0 refusals, 0 messages\n")
    assert still.err.startswith("1 stays: ")
    done = turnout("quarantine", "release", "1", "--set", "userId=u1")
    assert (done.code, done.out) == (0, "released 1 refusal, 1 message\n")
    assert appended(log) == 1
    assert turnout("quarantine", "list").out == "nothing of that kind is in quarantine\n"


def test_a_request_that_is_no_json_is_released_from_a_file(turnout: Turnout, log: redis.Redis, tmp_path: Path) -> None:
    refuse(log, body(b'{"batch": [', path="/v1/batch"))
    assert turnout("quarantine", "release", "1", "--set", "a=b").code == 2
    (tmp_path / "better.json").write_text('{"batch": [{"type": "track", "event": "A", "userId": "u"}]}')
    assert turnout("quarantine", "release", "1", "--file", "better.json").code == 0
    assert appended(log) == 1


def test_all_are_released_only_with_a_yes(turnout: Turnout, log: redis.Redis) -> None:
    refuse(log, refusal({"event": "A"}), refusal({"event": "B", "userId": "u"}))
    assert turnout("quarantine", "release", "--all").code == 2
    done = turnout("quarantine", "release", "--all", "--yes", "--json")
    assert done.code == 1
    found = json.loads(done.out)
    assert (found["released"], found["messages"], len(found["still"])) == (1, 1, 1)


def test_what_is_discarded_does_not_come_back(turnout: Turnout, log: redis.Redis) -> None:
    refuse(log, refusal({"event": "A"}))
    assert turnout("quarantine", "discard", "1", "--reason", "a bot").out == "discarded 1 refusal\n"
    refuse(log, refusal({"event": "A"}))
    assert turnout("quarantine", "list").out == "nothing of that kind is in quarantine\n"
    (found,) = map(json.loads, turnout("quarantine", "list", "--state", "discarded", "--json").lines)
    assert (found["count"], found["discardReason"]) == (2, "a bot")
