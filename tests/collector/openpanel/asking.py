"""A client of OpenPanel's API, as its SDKs are one."""

from collections.abc import Sequence
from typing import Any

from collector.policy import OPEN, Policy
from tests.collector.client import NOON, Answered, Client, MemoryLog, edge

NOON_MS = int(NOON * 1000)
SERVER = {"openpanel-client-id": "wk_web", "openpanel-sdk-name": "node", "openpanel-sdk-version": "1.3.1"}
BROWSER = {
    "openpanel-client-id": "wk_web",
    "openpanel-sdk-name": "web",
    "openpanel-sdk-version": "1.4.1",
    "origin": "https://shop.example",
    "user-agent": "Mozilla/5.0",
}


class Asking:
    """Asks one collector, and knows what its log has."""

    def __init__(self, policy: Policy = OPEN, *, trusted: Sequence[str] = ()) -> None:
        self.log = MemoryLog()
        self.client: Client = edge(self.log, policies={"web": policy}, trusted=trusted)

    def post(self, path: str, body: object, headers: dict[str, str]) -> Answered:
        return self.client.post(path, body, {"Authorization": "", **headers})

    def track(self, kind: str, payload: dict[str, Any], headers: dict[str, str] = SERVER) -> Answered:
        return self.post("/track", {"type": kind, "payload": payload}, headers)

    def told(self, kind: str, payload: dict[str, Any], headers: dict[str, str] = SERVER) -> list[dict[str, Any]]:
        """What is stored of a request that is taken."""
        before = len(self.log.items)
        answered = self.track(kind, payload, headers)
        assert (answered.status, {"deviceId", "sessionId"} - answered.json().keys()) == (200, set()), answered.body
        return [stripped(message) for message in self.log.messages[before:]]


def stripped(message: dict[str, Any]) -> dict[str, Any]:
    """Without what every message has."""
    common = {"messageId", "originalTimestamp", "receivedAt"}
    return {name: value for name, value in message.items() if name not in common}
