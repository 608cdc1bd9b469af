"""Runs commands and programs as documents show them, against a Turnout of ours."""

import os
import shutil
import subprocess

from tests.clients import node_setup
from tests.running import Running

ENDS_WITHIN = 60


def curl(command: str, host: str, turnout: Running) -> str:
    """What a command prints, with Turnout in the place of the host that it names."""
    if shutil.which("curl") is None:
        node_setup.lacking("curl is not installed")
    assert host in command
    ended = subprocess.run(
        ["bash", "-c", command.replace(host, turnout.url)],
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN,
        env={**os.environ, "USERS_API_KEY": "users-key", "no_proxy": "127.0.0.1"},
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def node(program: str, turnout: Running) -> str:
    """What a module for Node prints, which finds the installed packages and Turnout's address in TURNOUT."""
    command, npm = node_setup.node_and_npm()
    node_setup.install_client(npm)
    ended = subprocess.run(
        [command, "--input-type=module"],
        cwd=node_setup.HERE,
        input=program,
        capture_output=True,
        encoding="utf-8",
        timeout=ENDS_WITHIN,
        env={**os.environ, "TURNOUT": turnout.url, "no_proxy": "127.0.0.1"},
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
