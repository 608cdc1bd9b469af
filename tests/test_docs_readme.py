"""The first page is true: its configuration loads, its commands and SDK lines deliver a message."""

import os
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.receiver import Receiver
from tests.running import Running, running
from tests.waiting import eventually

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
TURNOUT = Path(sys.executable).parent / "turnout"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def turnout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Receiver]]:
    """The configuration of the first page, with a receiver where the page has one."""
    (config,) = blocks("toml")
    directory = tmp_path_factory.mktemp("newcomer")
    with Receiver() as receiver:
        toml = config.replace("http://127.0.0.1:9000/", receiver.url)
        with running(directory, toml, options=["--config", "turnout.toml"]) as found:
            yield found, receiver


def arrives(receiver: Receiver, event: str) -> bool:
    return any(request.json().get("event") == event for request in receiver.requests)


def test_the_curl_line_posts_a_message(turnout: tuple[Running, Receiver]) -> None:
    found, receiver = turnout
    receiver.clear()
    line = next(block for block in blocks("sh") if block.startswith("curl"))
    done = subprocess.run(
        ["sh", "-c", line.replace("http://127.0.0.1:8080", found.url)], capture_output=True, text=True, check=True
    )
    assert done.stdout == '{"success":true}'
    eventually(lambda: arrives(receiver, "Signed Up"), what="the message came to the webhook")


def test_the_command_posts_a_message_that_status_counts(turnout: tuple[Running, Receiver]) -> None:
    found, receiver = turnout
    receiver.clear()
    done = found.command("send", "track", "Command Sent", "--user", "u1", "--property", "plan=pro")
    assert done.returncode == 0, done.stderr
    eventually(lambda: arrives(receiver, "Command Sent"), what="the message came to the webhook")
    assert "hook" in found.command("status").stdout
    file = found.directory / "data" / "web.jsonl"
    eventually(lambda: "Command Sent" in file.read_text(), what="the message came to the file")


def test_the_python_lines_deliver_a_message(turnout: tuple[Running, Receiver], tmp_path: Path) -> None:
    found, receiver = turnout
    receiver.clear()
    (lines,) = blocks("python")
    script = tmp_path / "lines.py"
    script.write_text(lines.replace("http://127.0.0.1:8080", found.url))
    subprocess.run([sys.executable, str(script)], check=True, capture_output=True, timeout=60)
    eventually(lambda: arrives(receiver, "Signed Up"), what="the SDK's message came to the webhook")


def test_every_page_that_the_first_one_names_exists() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_receiver_of_the_first_page_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, str(ROOT / "examples" / "receiver.py"), str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    said = process.stdout
    assert said is not None
    try:
        assert "listening" in said.readline()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", data=b'{"a": 1}', timeout=10) as answer:
            assert answer.status == 200
    finally:
        process.terminate()
        process.wait(10)
        said.close()
