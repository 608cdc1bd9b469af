"""The page about forgetting is true: its commands and requests are run against a Turnout, and the user is gone."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.receiver import Receiver
from tests.running import Running, running
from tests.waiting import eventually

PAGE = (Path(__file__).parent.parent / "docs" / "forgetting.md").read_text()
BLOCKS = [block.strip() for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)]
USER = "97980cfea0067"
TOKEN = "a-token-of-the-api-1"
TOML = """
[api]
tokens = ["{token}"]

[sources.web]
write_keys = ["dev"]

[destinations.hook]
type = "webhook"
url = "{url}"
allow_private = true
deletions = true

[destinations.profiles]
type = "profiles"
"""


@pytest.fixture(scope="module")
def turnout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Receiver]]:
    with Receiver() as receiver:
        toml = TOML.format(token=TOKEN, url=receiver.url)
        with running(tmp_path_factory.mktemp("page"), toml, options=["--config", "turnout.toml"]) as found:
            yield found, receiver


def run(turnout: Running, line: str) -> str:
    """A line of the page, in the directory of the one that runs."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", line.replace("http://127.0.0.1:8080", turnout.url)],
        cwd=turnout.directory,
        env={**os.environ, "PATH": path, "TURNOUT_CONFIG": "turnout.toml"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{line}: {done.stderr}{done.stdout}"
    return done.stdout


def lines() -> Iterator[str]:
    for block in BLOCKS:
        yield from block.splitlines()


def line_with(*words: str) -> str:
    return next(line for line in lines() if all(word in line for word in words))


def send(turnout: Running, user: str, event: str) -> None:
    body = json.dumps({"userId": user, "event": event, "writeKey": "dev"}).encode()
    with urllib.request.urlopen(f"{turnout.url}/v1/track", body) as answer:
        assert answer.status == 200


def events(receiver: Receiver) -> list[object]:
    return [request.json().get("event") or request.json()["type"] for request in receiver.requests]


def stored(turnout: Running) -> bytes:
    return b"".join(path.read_bytes() for path in (turnout.directory / "data").rglob("*") if path.is_file())


def test_the_commands_of_the_page_do_what_it_says(turnout: tuple[Running, Receiver]) -> None:
    found, receiver = turnout
    send(found, USER, "Before")
    send(found, "somebody", "Else")
    eventually(lambda: {"Before", "Else"} <= set(events(receiver)))
    run(found, line_with("turnout export"))
    document = json.loads((found.directory / "user.json").read_text())
    assert [one["message"]["event"] for one in document["messages"]] == ["Before"]
    (found.directory / "user.json").unlink()
    told = run(found, line_with("forget", "--user", "--yes"))
    assert "SUPPRESS_WITH_DELETE: finished" in told
    assert re.search(r"hook +done", told)
    assert "delete" in events(receiver)
    eventually(lambda: USER.encode() not in stored(found), what="the bytes are gone")
    send(found, USER, "Suppressed")
    send(found, "somebody", "After")
    eventually(lambda: "After" in events(receiver))
    assert "Suppressed" not in events(receiver)
    run(found, line_with("UNSUPPRESS"))
    run(found, line_with("DELETE_ONLY"))
    assert run(found, line_with("--list --json")).count('"state":"FINISHED"') == 3
    assert "every message is in exactly one place" in run(found, line_with("audit"))


def test_the_requests_of_the_page_are_worked_on(turnout: tuple[Running, Receiver]) -> None:
    found, _ = turnout
    number = json.loads(run(found, line_with("curl", "--data")))["data"]["regulateId"]
    listing = line_with("curl", "status=FINISHED")
    eventually(
        lambda: number in [one["id"] for one in json.loads(run(found, listing))["data"]["regulations"]], within=30.0
    )
    assert len(json.loads(run(found, line_with("suppressions")))["data"]["suppressed"]) == 1


def test_every_line_of_the_page_is_run() -> None:
    assert len(BLOCKS) == 5
    assert len(list(lines())) == 10
