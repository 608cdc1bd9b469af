"""`turnout dead list` and `turnout quarantine list`, on a running Turnout whose webhook takes nothing."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.receiver import Answer, Receiver
from tests.running import Running, running
from tests.waiting import eventually

CONFIG = """
[sources.web]
write_keys = ["a-long-write-key"]

[destinations.hook]
type = "webhook"
url = "{url}"
allow_private = true
"""


@pytest.fixture(scope="module")
def turnout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Receiver() as receiver:
        receiver.always(Answer(400, body=b"no such field"))
        directory = tmp_path_factory.mktemp("kept")
        key = "a-long-write-key"
        with running(directory, CONFIG.format(url=receiver.url), write_key=key) as found:
            assert found.post("/v1/track", {"userId": "u1", "event": "A", "messageId": "m-1"})[0] == 200
            bad = {"event": "B", "writeKey": "a-long-write-key"}
            assert found.post("/v1/track", bad)[0] == 400
            eventually(lambda: found.account("web", "hook")["dead"] == 1, what="the webhook's refusal was settled")
            yield found


def test_a_dead_letter_is_listed_with_its_reason(turnout: Running) -> None:
    shown = turnout.command("dead", "list")
    assert shown.returncode == 0
    assert "m-1" in shown.stdout
    assert "no such field" in shown.stdout


def test_a_dead_letter_keeps_the_whole_message(turnout: Running) -> None:
    (letter,) = [json.loads(line) for line in turnout.command("dead", "list", "--json").stdout.splitlines()]
    assert letter["destination"] == "hook"
    assert letter["message"]["event"] == "A"
    assert letter["attempts"] == 1


def test_a_refused_message_is_listed_with_what_is_wrong_and_without_its_key(turnout: Running) -> None:
    (record,) = [json.loads(line) for line in turnout.command("quarantine", "list", "--json").stdout.splitlines()]
    assert json.loads(record["raw"]) == {"event": "B", "writeKey": "***"}
    assert record["violations"][0]["code"] == "no_user_anon_id"
    assert "/v1/track" in turnout.command("quarantine", "list").stdout


def test_nothing_kept_is_said_in_words(tmp_path: Path) -> None:
    with running(tmp_path) as found:
        assert found.command("dead", "list").stdout == "nothing is kept here\n"
