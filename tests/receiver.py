"""A real HTTP server for tests that remembers what it was sent, and answers as it was told."""

import contextlib
import json
import socket
import ssl
import struct
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, assert_never


@dataclass(frozen=True)
class Received:
    """One request as it came in; header names are lower-case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def whole(self) -> bool:
        """A sender that was killed leaves half a request behind."""
        return len(self.body) == int(self.headers.get("content-length", len(self.body)))


@dataclass(frozen=True)
class Answer:
    """An ordinary answer."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    after: float = 0.0
    """Seconds that it takes."""


@dataclass(frozen=True)
class Hang:
    """No answer until the receiver is released or closed."""


@dataclass(frozen=True)
class Reset:
    """The connection is reset without an answer."""


@dataclass(frozen=True)
class Raw:
    """These bytes as they are, then the end of the connection."""

    data: bytes


@dataclass(frozen=True)
class Endless:
    """A 200 whose body never ends (until the client goes away)."""


Act = Answer | Hang | Reset | Raw | Endless
Script = Callable[[Received], Act]


class Receiver:
    """`with Receiver() as receiver:` listens on a free port of 127.0.0.1, or on `port`.

    Every request is kept in `requests`. The acts given to `then()` are used up one by one, in the order in which
    the requests arrive; after them `always()` holds, which is an `Answer(200)` unless told otherwise.
    """

    def __init__(self, *acts: Act, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._lock = threading.Condition()
        self._received: list[Received] = []
        self._taken: list[Received] = []
        self._acts: deque[Act] = deque(acts)
        self._default: Act | Script = Answer()
        self._released = threading.Event()
        self._server = _Server(("127.0.0.1", port), tls)
        self._scheme = "https" if tls else "http"
        self._server.receiver = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[Received]:
        with self._lock:
            return list(self._received)

    @property
    def taken(self) -> list[Received]:
        """Those requests that came whole and were answered 2xx, in the order of the answers."""
        with self._lock:
            return list(self._taken)

    @property
    def connections(self) -> int:
        """How many connections were opened so far."""
        return self._server.accepted

    def then(self, *acts: Act) -> None:
        """Answer the next requests so, one act each."""
        with self._lock:
            self._acts.extend(acts)

    def always(self, act: Act | Script) -> None:
        """Answer so when no act is left; a function is given the request."""
        with self._lock:
            self._default = act

    def wait_for(self, count: int, timeout: float = 20.0) -> list[Received]:
        """The requests, once there are `count` of them; raises TimeoutError when they do not come."""
        with self._lock:
            if not self._lock.wait_for(lambda: len(self._received) >= count, timeout):
                raise TimeoutError(f"{len(self._received)} of {count} requests came within {timeout} s")
            return list(self._received)

    def clear(self) -> None:
        """Forget the requests so far."""
        with self._lock:
            self._received.clear()
            self._taken.clear()

    def release(self) -> None:
        """Let go of everything that hangs."""
        self._released.set()

    def act_on(self, received: Received) -> Act:
        with self._lock:
            self._received.append(received)
            self._lock.notify_all()
            act = self._acts.popleft() if self._acts else self._default
        decided = act(received) if callable(act) else act
        if isinstance(decided, Answer) and 200 <= decided.status < 300 and received.whole:
            with self._lock:
                self._taken.append(received)
        return decided

    def hold(self) -> None:
        self._released.wait()

    def take_time(self, seconds: float) -> None:
        if seconds:
            self._released.wait(seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    receiver: Receiver

    def __init__(self, address: tuple[str, int], tls: ssl.SSLContext | None) -> None:
        super().__init__(address, _Handler)
        self._tls = tls
        self.accepted = 0
        self._open: set[socket.socket] = set()

    def get_request(self) -> tuple[socket.socket, Any]:
        request, address = super().get_request()
        if self._tls is not None:
            # Hands are shaken in the thread of the connection, with its first bytes.
            request = self._tls.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
        self.accepted += 1
        self._open.add(request)
        return request, address

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        if request.fileno() != -1:
            super().shutdown_request(request)

    def server_close(self) -> None:
        """Also the connections that clients keep alive: after this nothing is served any more."""
        super().server_close()
        for request in list(self._open):
            with contextlib.suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is part of the game."""
        if not isinstance(sys.exception(), OSError | ValueError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def _serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        received = Received(self.command, self.path, headers, self._body())
        match self.server.receiver.act_on(received):
            case Answer() as answer:
                self.server.receiver.take_time(answer.after)
                self._answer(answer)
            case Hang():
                self.server.receiver.hold()
                self.close_connection = True
            case Reset():
                self._reset()
            case Raw(data=data):
                self.wfile.write(data)
                self.close_connection = True
            case Endless():
                self._stream()
            case unknown:
                assert_never(unknown)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815  http.server's names

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(iter(self._chunk, b""))
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline().split(b";")[0], 16)
        chunk = self.rfile.read(size)
        self.rfile.readline()
        return chunk

    def _answer(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if "Content-Length" not in answer.headers:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def _reset(self) -> None:
        # Lingering for no time at all makes the kernel send RST in place of FIN.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.rfile.close()
        self.connection.close()

    def _stream(self) -> None:
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            self.wfile.write(b"x" * 65_536)
            self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base's name
        """Tests speak through their assertions."""
