"""A destination that is out: tried seldom, by one worker at a time, and woken everywhere at once when it is back."""

import time
from pathlib import Path

from tests.receiver import Answer, Receiver
from tests.running import Running, running
from tests.waiting import eventually

CONFIG = """
[worker]
processes = 2
backoff = {{ first = "500ms", factor = 1.0, longest = "500ms" }}

[sources.web]
write_keys = ["dev"]
archive = false

[destinations.hook]
type = "webhook"
url = "{url}"
allow_private = true
batch_size = 10
"""

USERS = 40


def post(turnout: Running, *, event: str) -> None:
    """A message of each user: some in every partition."""
    batch = [{"type": "track", "userId": f"u{number}", "event": event} for number in range(USERS)]
    assert turnout.post("/v1/batch", {"batch": batch})[0] == 200


def test_an_outage_is_probed_by_one_worker_at_a_time_and_its_end_wakes_all_partitions(tmp_path: Path) -> None:
    with Receiver() as receiver, running(tmp_path, CONFIG.format(url=receiver.url)) as turnout:
        receiver.always(Answer(503))
        post(turnout, event="A")
        eventually(lambda: turnout.account("web", "hook")["out"])
        post(turnout, event="B")
        receiver.clear()
        begun = time.monotonic()
        eventually(lambda: time.monotonic() - begun >= 3.0)
        tried = len(receiver.requests)
        assert tried <= 3.0 / 0.25 * 2, "at most one probe a pause, of two requests: what failed and what is new"
        receiver.always(Answer(200))
        begun = time.monotonic()
        eventually(lambda: turnout.account("web", "hook")["delivered"] == 2 * USERS)
        assert time.monotonic() - begun < 8
        assert turnout.account("web", "hook")["out"] is None
