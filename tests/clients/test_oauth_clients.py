"""The official clients that authenticate by OAuth 2.0: a token that expires while they send costs them nothing."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collector.app import create_app
from schemas.limits import Limits
from tests.clients.driving import Driven, Sdk
from tests.collector.client import KEYS, MemoryLog
from tests.collector.served import served
from tests.collector.test_oauth import policy, rsa_pair
from tests.waiting import eventually

pytestmark = pytest.mark.clients

GOOD_FOR = 30
LATER = 45
"""Past a token, and not so far that clients, whose clocks do not leap, make assertions of the past."""


class Clock:
    """The server's, which a test can let leap."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def clock() -> Clock:
    return Clock(time.time())


class Heard:
    """An application, and the statuses of its answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.statuses: list[int] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def heard(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.statuses.append(message["status"])
            await send(message)

        await self._app(scope, receive, heard)


@pytest.fixture
def heard(log: MemoryLog, clock: Clock) -> Heard:
    policies = {"web": policy(seconds=GOOD_FOR)}
    new_id = iter(map(str, range(10_000))).__next__
    return Heard(create_app(KEYS, log, now=clock, new_id=new_id, limits=Limits(), policies=policies))


@pytest.fixture
def url(heard: Heard) -> Iterator[str]:
    with served(heard) as port:
        yield f"http://127.0.0.1:{port}"


def settings(sdk: Sdk, url: str, *, key: str | None = None) -> dict[str, Any]:
    private = key or rsa_pair()[0]
    if sdk.name == "python":
        names = {"oauth_client_id": "c1", "oauth_client_key": private, "oauth_key_id": "k1", "oauth_auth_server": url}
        return {"host": url, "write_key": "wk_web", "upload_size": 10, **names}
    names = {"clientId": "c1", "clientKey": private, "keyId": "k1", "authServer": url}
    return {"host": url, "writeKey": "wk_web", "flushAt": 10, "flushInterval": 300, "oauthSettings": names}


def calls(numbers: range) -> Iterator[tuple[str, dict[str, Any]]]:
    return (("track", {"userId": "u1", "event": "E", "properties": {"n": n}}) for n in numbers)


def test_a_token_that_expires_meanwhile_costs_no_message(
    sdk: Sdk, url: str, log: MemoryLog, clock: Clock, heard: Heard
) -> None:
    with Driven(sdk, settings(sdk, url)) as client:
        client.calls(calls(range(20)))
        eventually(lambda: len(log.items) == 20, within=40, what="the messages before")
        clock.now += LATER
        client.calls(calls(range(20, 40)))
        report = client.end()
    assert report.errors == ()
    assert 511 in heard.statuses
    assert sorted(message["properties"]["n"] for message in log.messages) == list(range(40))


def test_a_client_with_another_key_is_told_so_and_leaves_nothing(python_sdk: Sdk, url: str, log: MemoryLog) -> None:
    with Driven(python_sdk, settings(python_sdk, url, key=rsa_pair("other")[0])) as client:
        client.calls(calls(range(10)))
        report = client.end()
    assert report.errors != ()
    assert log.items == []
