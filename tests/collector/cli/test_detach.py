"""`turnout detach`, from configuration to configuration."""

from pathlib import Path

from tests.running import running
from tests.waiting import eventually

BOTH = """
[sources.web]
write_keys = ["dev"]

[destinations.file]
type = "file"
path = "out.jsonl"

[destinations.hook]
type = "webhook"
url = "http://127.0.0.1:9/"
allow_private = true
"""
ONE = BOTH.partition("[destinations.hook]")[0]


def test_a_destination_that_was_taken_out_can_be_given_up_and_one_that_is_there_cannot(tmp_path: Path) -> None:
    with running(tmp_path, BOTH) as turnout:
        assert turnout.post("/v1/track", {"userId": "u1", "event": "A"})[0] == 200
        eventually(lambda: turnout.account("web", "file")["delivered"] == 1, what="the file has the message")
    with running(tmp_path, ONE) as turnout:
        assert "turnout detach web hook" in turnout.command("status").stdout
        assert turnout.command("detach", "web", "file").returncode == 2
        assert turnout.command("detach", "web", "hook").stdout == "gave up 1 message that web kept for hook\n"
        assert turnout.command("detach", "web", "hook").stdout == "web keeps nothing for hook\n"
        assert turnout.status()["strays"] == []
