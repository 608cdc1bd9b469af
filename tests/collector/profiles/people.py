"""Users, groups and their messages, and a client that may ask about them."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from collector.api.door import Door
from collector.api.furnished import Furniture
from collector.api.rooms import Rooms
from collector.api.settings import ApiSettings
from collector.app import create_app
from collector.profiles.desk import Desk, Where
from destinations.outcome import Delivered
from destinations.registry import make
from destinations.settings import Secret
from destinations.sql.url import DatabaseUrl
from schemas.envelope import Envelope
from schemas.limits import Limits
from schemas.message import decode_head
from tests.collector.client import KEYS, NOON, Answered, Client, MemoryLog, basic
from worker.keys import lane, partition_of

TOKEN = "a-good-api-token-1"
PARTITIONS = 4
DAY = "2023-11-15"
BASE = "/v1/spaces/any/collections"


class Given:
    """What has been sent and delivered, in a directory and a database of its own."""

    def __init__(self, directory: Path, url: DatabaseUrl | None = None) -> None:
        self.url = url or DatabaseUrl.of_file(directory / "profiles.db")
        self.archive = directory / "archive"
        self._kept = [
            make("profiles", "profiles", {"url": str(self.url)}, place="the test"),
            make("archive", "archive", {"dir": str(self.archive)}, place="the test"),
        ]
        self._desks: list[Desk] = []
        self._count = 0

    def say(self, *messages: dict[str, Any], source: str = "web") -> None:
        """Messages of the hour before noon, one a second, unless they say when."""
        batch = [self._envelope(message, source) for message in messages]
        for destination in self._kept:
            assert destination.deliver(batch, time.monotonic() + 30) == [Delivered()] * len(batch)

    def api(self, **settings: Any) -> Client:
        """Somebody who may ask about them."""
        desk = Desk(self.where(), searches=lambda: ThreadPoolExecutor(1))
        self._desks.append(desk)
        return asking(desk, **settings)

    def close(self) -> None:
        for destination in self._kept:
            destination.close()
        for desk in self._desks:
            desk.close()

    def where(self) -> Where:
        return Where(self.url, (str(self.archive),), PARTITIONS)

    def _envelope(self, members: dict[str, Any], source: str) -> Envelope:
        number = self._count = self._count + 1
        at = (
            members.get("timestamp")
            or f"{DAY}T{11 + number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}.000Z"
        )
        message = {
            "messageId": f"m{number}",
            "timestamp": at,
            "receivedAt": at,
            "originalTimestamp": at,
            "context": {},
            **members,
        }
        body = msgspec.json.encode(message)
        head = decode_head(body)
        who = head.user_id or head.anonymous_id or head.group_id or ""
        return Envelope(
            source=source,
            body=body,
            head=head,
            lane=lane(partition_of(source, who, PARTITIONS)),
            position=f"{1_700_000_000_000 + number}-0/0",
        )


def asking(desk: Desk, **settings: Any) -> Client:
    """An application whose API takes TOKEN, at noon."""
    count = iter(range(1, 1_000_000))

    def new_id() -> str:
        return f"r{next(count)}"

    api = ApiSettings(**{"tokens": (Secret(TOKEN),), "rate": 1e6, **settings})
    app = create_app(
        KEYS,
        MemoryLog(),
        now=lambda: NOON,
        new_id=new_id,
        limits=Limits(),
        door=Door(api, lambda: NOON, new_id),
        rooms=Rooms(furnished=Furniture(None, desk)),
    )
    return Client(app)


def ask(client: Client, path: str, query: str = "", token: str = TOKEN) -> Answered:
    answered = client.request("GET", f"{BASE}/{path}", headers=basic(token), query=query)
    assert answered is not None
    assert answered.headers["content-type"] == "application/json"
    return answered


def told(client: Client, path: str, query: str = "") -> Any:
    answered = ask(client, path, query)
    assert answered.status == 200, answered.body
    return answered.json()


def all_pages(client: Client, path: str, query: str, member: str = "data") -> list[Any]:
    """What each page holds."""
    found = []
    more = ""
    for _ in range(100):
        page = told(client, path, f"{query}{more}")
        found.append(page[member])
        if not page["cursor"]["has_more"]:
            assert page["cursor"]["next"] == ""
            return found
        more = f"&next={page['cursor']['next']}"
    raise AssertionError("it comes to no end")
