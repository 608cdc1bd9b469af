"""A load generator: keep-alive connections, one request under way on each, as little work as Python allows."""

import itertools
import selectors
import socket
import time
from collections.abc import Iterator
from typing import cast

import msgspec


class Load(msgspec.Struct, frozen=True):
    """What a run of requests came to."""

    requests: int
    seconds: float
    refused: int

    def rate(self) -> float:
        return self.requests / self.seconds


def post(path: str, body: bytes, *, key: str = "ZGV2Og==") -> bytes:
    """The bytes of one request. The key is `dev:` as Basic credentials."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Basic {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def hammer(
    port: int, requests: Iterator[bytes], *, connections: int, most: int | None = None, seconds: float = 1e9
) -> Load:
    """Send requests until `most` were answered or the time is over; whatever is not a 200 counts as refused."""
    selector = selectors.DefaultSelector()
    limited = itertools.islice(requests, most)
    for _ in range(connections):
        client = socket.create_connection(("127.0.0.1", port))
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if (first := next(limited, None)) is not None:
            client.sendall(first)
            selector.register(client, selectors.EVENT_READ)
    answered = refused = 0
    partial: dict[socket.socket, bytes] = {}
    begun = time.perf_counter()
    while selector.get_map():
        for key, _ in selector.select():
            client = cast("socket.socket", key.fileobj)
            answer = partial.pop(client, b"") + client.recv(65_536)
            if not _whole(answer):
                partial[client] = answer
                continue
            answered += 1
            refused += not answer.startswith(b"HTTP/1.1 200")
            following = next(limited, None) if time.perf_counter() - begun < seconds else None
            if following is None:
                selector.unregister(client)
                client.close()
            else:
                client.sendall(following)
    return Load(answered, time.perf_counter() - begun, refused)


def _whole(answer: bytes) -> bool:
    """Whether the body has come too: servers may send it in a packet of its own."""
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found:
        return False
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return len(body) >= int(length)
