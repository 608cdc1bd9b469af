"""The lines of docs/switching/server.md that run here deliver their message."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients import node_setup
from tests.clients.conftest import Desk

pytestmark = pytest.mark.clients

PAGE = (Path(__file__).parents[2] / "docs" / "switching" / "server.md").read_text()


def lines(language: str, desk: Desk) -> str:
    block = PAGE.partition(f"```{language}\n")[2].partition("```")[0]
    return block.replace("http://127.0.0.1:8080", desk.turnout.url).replace("dev", desk.key)


def test_the_python_lines_deliver_a_message(desk: Desk) -> None:
    subprocess.run([sys.executable, "-c", lines("python", desk)], check=True, capture_output=True, timeout=60)
    desk.settled(1)
    (stored,) = desk.archived()
    assert (stored["userId"], stored["event"]) == ("u1", "Signed Up")


def test_the_node_lines_deliver_a_message(desk: Desk) -> None:
    program, npm = node_setup.node_and_npm()
    node_setup.install_client(npm)
    command = [program, "--input-type=module", "--eval", lines("js", desk)]
    subprocess.run(command, check=True, capture_output=True, cwd=node_setup.HERE, timeout=60)
    desk.settled(1)
    (stored,) = desk.archived()
    assert (stored["userId"], stored["event"]) == ("u1", "Signed Up")
