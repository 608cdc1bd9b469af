"""How each of the published server clients is run."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.clients import built, node_setup, venvs
from tests.clients.catalog import server
from tests.clients.certificate import Client, Scenario
from tests.clients.front import Fault
from tests.clients.published import Published, Told

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
    return {"writeKey": key, "endpoint": url, "flushInterval": _PAUSE_MS, "retryAfterMs": 100}


def _jitsu() -> Published:
    """Its calls have no names for their arguments, and it knows no screens and no aliases."""
    traits = {"email": "ada@example.com", "plan": "pro"}
    calls = (
        Told("identify", ["u1", traits], {"type": "identify", "userId": "u1", "traits": traits}),
        Told("group", ["g1", {"employees": 40}], {"type": "group", "userId": "u1", "groupId": "g1"}),
        Told("track", ["Order Completed", {"revenue": 19.5}], {"type": "track", "event": "Order Completed"}),
        Told("page", [{"name": "Pricing"}], {"type": "page", "userId": "u1"}),
    )

    def numbered(number: int, filling: str) -> Told:
        properties = {"n": str(number), "filling": filling}
        stored = {"type": "track", "event": "N", "properties": properties}
        return Told("track", ["N", properties], stored)

    return Published(
        server.JITSU,
        _node(server.JITSU.name),
        lambda url, key: {"writeKey": key, "host": url},
        {**_library(server.JITSU), "env": "node"},
        calls,
        numbered,
        faults={Scenario.AWAY: (Fault.AWAY,)},
        secret=":secret",
    )


def _openpanel() -> Published:
    """It names no messages: one whose answer is lost would be stored twice, by OpenPanel too."""
    upsert, plus, minus = (
        {"op": "upsert"},
        {"op": "increment", "trait": "visits", "by": 2},
        {"op": "increment", "trait": "credit", "by": -1},
    )
    traits = {"email": "ada@example.com", "firstName": "Ada"}
    calls = (
        Told("identify", {"profileId": "u1", **traits}, {"type": "identify", "userId": "u1", "traits": traits}),
        Told(
            "upsertGroup",
            {"id": "g1", "type": "company", "name": "Engines"},
            {"type": "group", "groupId": "g1", "traits": {"name": "Engines"}, "context": {"operations": [upsert]}},
        ),
        Told("setGroup", ["g1"], {"type": "group", "userId": "u1", "groupId": "g1"}),
        Told(
            "track",
            ["Order Completed", {"currency": "EUR"}],
            {"type": "track", "userId": "u1", "event": "Order Completed", "context": {"groupId": "g1"}},
        ),
        Told(
            "revenue", [1900, {"currency": "EUR"}], {"type": "track", "userId": "u1", "properties": {"revenue": 1900}}
        ),
        Told(
            "increment",
            {"profileId": "u1", "property": "visits", "value": 2},
            {"type": "identify", "userId": "u1", "context": {"operations": [plus]}},
        ),
        Told(
            "decrement",
            {"profileId": "u1", "property": "credit", "value": 1},
            {"type": "identify", "userId": "u1", "context": {"operations": [minus]}},
        ),
    )

    def numbered(number: int, filling: str) -> Told:
        properties = {"n": str(number), "filling": filling}
        stored = {"type": "track", "userId": "u1", "event": "N", "properties": properties}
        return Told("track", ["N", {"profileId": "u1", **properties}], stored)

    return Published(
        server.OPENPANEL,
        _node(server.OPENPANEL.name),
        lambda url, key: {"clientId": key, "clientSecret": "a-secret", "apiUrl": url},
        {"name": "node", "version": server.OPENPANEL.version},
        calls,
        numbered,
        faults={Scenario.AWAY: (Fault.AWAY, Fault.AWAY)},
        names_messages=False,
    )


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
    _openpanel(),
    _jitsu(),
)
