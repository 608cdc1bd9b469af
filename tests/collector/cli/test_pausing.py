"""`turnout pause` and `turnout resume`, with a whole Turnout."""

from pathlib import Path

from collector import run
from tests.collector.cli.conftest import Turnout
from tests.receiver import Receiver
from tests.running import running
from tests.waiting import eventually
from worker import connect
from worker.breaker import Breaker

CONFIG = """
[sources.web]
write_keys = ["dev"]

[destinations.hook]
type = "webhook"
url = "{url}"
allow_private = true
"""


def test_a_pause_is_known_to_all_until_somebody_resumes(tmp_path: Path) -> None:
    with Receiver() as receiver, running(tmp_path, CONFIG.format(url=receiver.url)) as turnout:
        about = run.read(turnout.data)
        assert about is not None
        assert turnout.command("pause", "hook", "--reason", "moving house").stdout == "paused hook: moving house\n"
        with connect.client(about.log_url, timeout=5.0) as client:
            state = Breaker(client, lease_ms=10_000, settings={}).all(["hook"])["hook"]
        assert (state.scope, state.reason, state.due) == ("operator", "moving house", False)
        assert turnout.command("resume", "hook").stdout == "resumed hook\n"
        assert turnout.command("resume", "hook").stdout == "hook was not paused\n"


def test_only_a_destination_that_is_configured_can_be_paused(turnout: Turnout, tmp_path: Path) -> None:
    (tmp_path / "turnout.toml").write_text(
        '[log]\nurl = "redis://127.0.0.1:1"\n[rq]\nurl = "redis://127.0.0.1:2"\n[sources.web]\nwrite_keys = ["dev"]\n'
    )
    ended = turnout("pause", "hok")
    assert ended.code == 2
    assert "there is no destination 'hok'; there are profiles, archive" in ended.err


def test_a_paused_destination_gets_nothing_until_it_is_resumed(tmp_path: Path) -> None:
    with Receiver() as receiver, running(tmp_path, CONFIG.format(url=receiver.url)) as turnout:
        turnout.command("pause", "hook")
        assert turnout.post("/v1/track", {"userId": "u", "event": "A"})[0] == 200
        eventually(lambda: turnout.account("web", "archive")["delivered"] == 1, what="the others are not paused")
        assert turnout.account("web", "hook")["waiting"] == 1
        assert turnout.account("web", "hook")["out"] == "paused by hand"
        assert receiver.requests == []
        turnout.command("resume", "hook")
        receiver.wait_for(1)
