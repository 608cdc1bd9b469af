"""Sockets that outlive the collector, and a collector that takes leave of its clients."""

import asyncio
import http.client
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn

from collector import listening
from collector.server import Server
from tests.collector.client import MemoryLog, basic, edge
from tests.running import free_port
from tests.waiting import eventually

MESSAGE = b'{"userId":"u1","event":"e"}'


def test_who_connects_while_nobody_accepts_waits(log: MemoryLog) -> None:
    sockets = listening.listen("127.0.0.1", free_port(), 10)
    address = sockets[0].getsockname()
    with socket.create_connection(address, timeout=5) as client:
        client.sendall(b"GET /health/live HTTP/1.0\r\n\r\n")
        with serving(log, sockets[0].dup()):
            assert client.recv(100).startswith(b"HTTP/1.1 200")
    listening.close(sockets)


def test_a_name_may_stand_for_several_addresses() -> None:
    sockets = listening.listen("localhost", free_port(), 10)
    try:
        assert {one.getsockname()[0] for one in sockets} <= {"127.0.0.1", "::1"}
        with socket.create_connection(sockets[0].getsockname()[:2], timeout=5):
            pass
    finally:
        listening.close(sockets)


def test_a_socket_is_handed_over_by_its_number() -> None:
    (first,) = listening.listen("127.0.0.1", free_port(), 10)
    (again,) = listening.given([os.dup(first.fileno())])
    with first, again:
        assert again.getsockname() == first.getsockname()


def test_what_does_not_listen_is_not_taken() -> None:
    with socket.socket() as idle, pytest.raises(OSError, match="does not listen"):
        listening.given([os.dup(idle.fileno())])


@contextmanager
def serving(log: MemoryLog, listener: socket.socket) -> Iterator[Server]:
    """Our server in a thread; stopped at the end, if it still runs."""
    config = uvicorn.Config(
        edge(log).app, http="httptools", ws="none", lifespan="off", log_config=None, timeout_graceful_shutdown=5
    )
    server = Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server._serve([listener])))
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


def test_a_client_between_two_requests_is_answered_once_more_and_told_to_close(log: MemoryLog) -> None:
    (listener,) = listening.listen("127.0.0.1", free_port(), 10)
    connection = http.client.HTTPConnection("127.0.0.1", listener.getsockname()[1], timeout=5)
    with serving(log, listener.dup()) as server:
        connection.request("POST", "/v1/track", MESSAGE, basic("wk_web"))
        assert connection.getresponse().read() == b'{"success":true}'
        server.stop()
        eventually(lambda: any(not one.sockets for one in server.servers), what="nobody is let in any more")
        connection.request("POST", "/v1/track", MESSAGE, basic("wk_web"))
        answer = connection.getresponse()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
    connection.close()
    listener.close()
    assert len(log.items) == 2
