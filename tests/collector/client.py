"""A client that talks to an ASGI application directly, and a log that lives in memory."""

import asyncio
import base64
import gzip
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import msgspec
from starlette.types import ASGIApp, Message

from collector.app import create_app
from collector.log_port import Item, Refusal, Spooled
from collector.policy import Policy
from collector.room import Room
from collector.visitor import networks
from schemas.limits import Limits

NOON = 1_700_049_600.0
NOON_WORDS = "2023-11-15T12:00:00.000Z"
KEYS = {"web": ["wk_web", "wk_web_new", "id:secret"], "shop": ["wk_shop_0123456789abcdef"]}


class MemoryLog:
    """Keeps what it is given. With `failure` set it keeps nothing and raises that."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.refusals: list[Refusal] = []
        self.puts = 0
        self.failure: Exception | None = None
        self.words: str | None = None
        self.kept_here: Spooled | None = None

    async def put(self, items: Sequence[Item], refusals: Sequence[Refusal]) -> None:
        if self.failure is not None:
            raise self.failure
        self.puts += 1
        self.items.extend(items)
        self.refusals.extend(refusals)

    async def trouble(self) -> str | None:
        return self.words

    def spooled(self) -> Spooled | None:
        return self.kept_here

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(item.body) for item in self.items]


class Answered(msgspec.Struct, frozen=True):
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class Client:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def request(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] = b"",
        headers: dict[str, str] | None = None,
        *,
        query: str = "",
        hang_up: bool = False,
        stall: bool = False,
        root_path: str = "",
        peer: str = "192.0.2.1",
        more: Sequence[tuple[str, str]] = (),
    ) -> Answered | None:
        """The answer; None when there was none. `hang_up` ends the connection before the body, `stall` nothing.

        `more` are headers that may come more than once.
        """
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "root_path": root_path,
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in (*(headers or {}).items(), *more)],
            "client": (peer, 4000) if peer else None,
            "server": ("127.0.0.1", 8080),
            "state": {},
        }
        chunks = [body] if isinstance(body, bytes) else list(body)
        incoming: list[Message] = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
        if hang_up:
            incoming.append({"type": "http.disconnect"})
        elif not stall:
            incoming[-1]["more_body"] = False
        return asyncio.run(_exchange(self.app, scope, incoming))

    def post(
        self, path: str, body: object = b"", headers: dict[str, str] | None = None, *, query: str = ""
    ) -> Answered:
        """The answer to `body`, encoded as JSON unless it is bytes already, from a client with a good key."""
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        answered = self.request("POST", path, content, {**basic("wk_web"), **(headers or {})}, query=query)
        assert answered is not None
        return answered

    def get(self, path: str, headers: dict[str, str] | None = None, *, method: str = "GET") -> Answered:
        answered = self.request(method, path, headers=headers)
        assert answered is not None
        return answered


def basic(user: str, password: str = "") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def gzipped(*parts: bytes) -> bytes:
    return b"".join(gzip.compress(part, mtime=0) for part in parts)


async def _exchange(app: ASGIApp, scope: dict[str, Any], incoming: list[Message]) -> Answered | None:
    sent: list[Message] = []
    never = asyncio.Event()

    async def receive() -> Message:
        if not incoming:
            await never.wait()
        return incoming.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    if not sent:
        return None
    start, *rest = sent
    headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    assert len(headers) == len(list(start["headers"])), "browsers refuse an answer that says a header twice"
    return Answered(start["status"], headers, b"".join(message.get("body", b"") for message in rest))


def edge(
    log: MemoryLog,
    *,
    limits: Limits | None = None,
    body_seconds: float = 30.0,
    policies: Mapping[str, Policy] | None = None,
    room: Room | None = None,
    trusted: Sequence[str] = (),
    now: Callable[[], float] = lambda: NOON,
) -> Client:
    """A client of an application whose clock says noon and whose new ids count up."""
    count = iter(range(1, 1_000_000))
    app = create_app(
        KEYS,
        log,
        now=now,
        new_id=lambda: f"new-{next(count)}",
        limits=limits or Limits(),
        body_seconds=body_seconds,
        room=room,
        policies=policies or {},
        trusted=networks(trusted),
        salt=lambda moment_ms: b"the salt of the day",
    )
    return Client(app)
