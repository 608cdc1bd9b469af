"""Runs one of Dopt's clients, as published, in a process of its own.

Both programs, `python/dopt_users.py` and `node/dopt_users.mjs`, read `{"run": {"url", "key", "calls": [["identifyUser",
{...}]]}}` from standard input. They print `{"outcomes": {"run": [...]}, "connected": ["127.0.0.1:20000"]}`: of each
call its `answer`, or the `error` with its `status` and `body`, and with whom the process opened connections.
"""

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tests.clients import node_setup, venvs
from tests.clients.catalog import dopt
from tests.clients.certificate import Client

HERE = Path(__file__).parent
ENDS_WITHIN = 60.0


@dataclass(frozen=True)
class DoptClient:
    client: Client
    program: Callable[[], str]
    """What runs it."""
    script: Path
    one_off: Sequence[str]
    """Options with which the program runs a text instead."""
    tries: int
    """Requests for one call while the answer is 503 or 429."""
    library: Mapping[str, str]


def _python() -> str:
    return str(venvs.programs_of("dopt-users-python-client") / "python")


def _node() -> str:
    program, npm = node_setup.node_and_npm()
    node_setup.install_client(npm)
    return program


CLIENTS = (
    DoptClient(
        dopt.PYTHON,
        _python,
        HERE / "python" / "dopt_users.py",
        ["-c"],
        1,
        {"name": "dopt-users-python-client", "version": "1.0.9"},
    ),
    DoptClient(
        dopt.JAVASCRIPT,
        _node,
        HERE / "node" / "dopt_users.mjs",
        ["--input-type=module", "--eval"],
        3,
        {"name": "dopt-users-javascript-client"},
    ),
)


class Report(msgspec.Struct, frozen=True):
    outcomes: Mapping[str, list[dict[str, Any]]]
    connected: tuple[str, ...]


def report_of(client: DoptClient, runs: Mapping[str, Mapping[str, Any]]) -> Report:
    return msgspec.json.decode(_ended([client.program(), str(client.script)], client, json.dumps(runs)), type=Report)


def run_example(client: DoptClient, text: str) -> None:
    """Run a program that somebody may have copied from a page."""
    _ended([client.program(), *client.one_off, text], client, "")


def _ended(command: Sequence[str], client: DoptClient, told: str) -> str:
    ended = subprocess.run(
        command,
        capture_output=True,
        check=False,
        cwd=client.script.parent,
        encoding="utf-8",
        input=told,
        timeout=ENDS_WITHIN,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
