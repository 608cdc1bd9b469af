"""How each of the published server clients is run."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.clients import built, node_setup, venvs
from tests.clients.catalog import server
from tests.clients.certificate import Client, Scenario
from tests.clients.front import Fault
from tests.clients.published import Published

HERE = Path(__file__).parent
_PAUSE_MS = 300  # so long a client may gather messages before it sends them


def _node(name: str) -> Callable[[], Sequence[str]]:
    def command() -> Sequence[str]:
        program, npm = node_setup.node_and_npm()
        node_setup.install_client(npm)
        return [program, str(HERE / "node" / "certify.mjs"), name]

    return command


def _python(module: str, environment: str | None) -> Callable[[], Sequence[str]]:
    """In the environment of that name, or in ours."""

    def command() -> Sequence[str]:
        python = sys.executable if environment is None else str(venvs.programs_of(environment) / "python")
        return [python, str(HERE / "python" / "certify.py"), module]

    return command


def _host(url: str, key: str) -> Mapping[str, Any]:
    return {"writeKey": key, "host": url, "flushInterval": _PAUSE_MS}


def _snake_host(url: str, key: str) -> Mapping[str, Any]:
    return {"write_key": key, "host": url}


def _library(client: Client, name: str | None = None) -> Mapping[str, str]:
    return {"name": name or client.name, "version": client.version}


def _of_node(
    client: Client, name: str | None = None, settings: Callable[[str, str], Mapping[str, Any]] = _host
) -> Published:
    return Published(client, _node(client.name), settings, _library(client, name))


def _of_python(client: Client, module: str, environment: str | None) -> Published:
    return Published(client, _python(module, environment), _snake_host, _library(client, "analytics-python"))


def _rudder_host(url: str, key: str) -> Mapping[str, Any]:
    return {"writeKey": key, "dataPlaneUrl": url, "flushInterval": _PAUSE_MS, "logLevel": "none"}


def _endpoint(url: str, key: str) -> Mapping[str, Any]:
    # Ten tries with a bad key would take half a minute.
    return {"writeKey": key, "endpoint": url, "retryAfterMs": 100}


PUBLISHED = (
    Published(
        server.JAVA,
        built.java_program,
        _endpoint,
        _library(server.JAVA, "analytics-java"),
        faults={Scenario.AWAY: (Fault.ANSWER_LOST,)},
    ),
    Published(server.GO, built.go_program, _endpoint, {"name": "analytics-go", "version": "3.0.0"}),
    _of_node(server.NODE_3),
    _of_node(server.NODE_6),
    _of_node(server.RUDDER_NODE, "analytics-node", _rudder_host),
    _of_python(server.PYTHON_2_4, "segment.analytics.client", None),
    _of_python(server.PYTHON_2_3, "segment.analytics.client", "segment-analytics-python"),
    _of_python(server.PYTHON_1_4, "analytics.client", "analytics-python"),
    _of_python(server.RUDDER_PYTHON, "rudderstack.analytics.client", "rudder-sdk-python"),
)
