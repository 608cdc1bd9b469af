"""Send one request and bring the answer back, within bounds of time, size and address."""

import socket
import ssl
import time
from collections.abc import Mapping
from typing import Protocol

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    SSLError,
)
from urllib3.exceptions import (
    TimeoutError as Urllib3TimeoutError,
)
from urllib3.util import Timeout, parse_url

from destinations.http.connection import AddressRefused, GuardedPools, Resolve, Way
from destinations.http.guard import Guard
from destinations.http.request import Answer, NoAnswer, Request

# Enough for the per-item results of the largest batches; the rest of a longer answer is never read.
ANSWER_BYTES = 1_048_576
_CHUNK = 65_536


class Transport(Protocol):
    """What a sender needs of the network. Called by several threads at a time."""

    def send(self, request: Request, timeout: float) -> Answer | NoAnswer: ...

    def reach(self, url: str, timeout: float) -> str | None: ...

    def cut(self) -> None: ...

    def close(self) -> None: ...


class HttpTransport:
    """The real network."""

    def __init__(self, guard: Guard, connections: int, resolve: Resolve = socket.getaddrinfo) -> None:
        self._opened: set[socket.socket] = set()
        self._pools = GuardedPools(Way(guard, resolve, self._opened), connections)

    def send(self, request: Request, timeout: float) -> Answer | NoAnswer:
        until = time.monotonic() + timeout
        try:
            response = self._pools.request(
                request.method,
                request.url,
                body=request.body,
                headers=request.headers,
                timeout=Timeout(total=timeout),
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
            )
            return _answer(response, until)
        except (HTTPError, OSError) as error:
            return NoAnswer(trouble(error, timeout))

    def reach(self, url: str, timeout: float) -> str | None:
        """Open a connection and send nothing over it; the trouble in words when there is any."""
        parsed = parse_url(url)
        pool = self._pools.connection_from_host(parsed.host, parsed.port, parsed.scheme)
        connection = pool.ConnectionCls(host=pool.host, port=pool.port, timeout=timeout, **pool.conn_kw)
        try:
            connection.connect()
        except (HTTPError, OSError) as error:
            return trouble(error, timeout)
        finally:
            connection.close()
        return None

    def cut(self) -> None:
        """Wake every thread that still waits for an answer; its connection breaks."""
        for sock in list(self._opened):
            try:
                # Not the method of a TLS socket, which would change its state under the thread that reads it.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError:
                continue

    def close(self) -> None:
        self._pools.clear()


def _answer(response: BaseHTTPResponse, until: float) -> Answer | NoAnswer:
    """The answer, up to ANSWER_BYTES of it; a connection that is not read to its end is not used again."""
    body = bytearray()
    try:
        while len(body) <= ANSWER_BYTES:
            chunk = response.read1(_CHUNK, decode_content=False)
            if not chunk:
                return _read(response, bytes(body), whole=True)
            if time.monotonic() > until:
                return NoAnswer("the answer did not end in time")
            body += chunk
        return _read(response, bytes(body[:ANSWER_BYTES]), whole=False)
    finally:
        response.close() if not response.closed else response.release_conn()


def _read(response: BaseHTTPResponse, body: bytes, *, whole: bool) -> Answer:
    headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status, headers, body, whole, time.time())


def trouble(error: Exception, timeout: float) -> str:
    """The failure in words of our own: urllib3's would show the URL."""
    match error:
        case AddressRefused():
            return str(error)
        case NameResolutionError():
            return "the host name does not resolve"
        case NewConnectionError():  # a kind of ConnectTimeoutError, so before it
            return f"no connection: {_system_words(error.__cause__)}"
        case ConnectTimeoutError():
            return f"no connection within {timeout:.3g} s"
        case Urllib3TimeoutError():
            return f"no answer within {timeout:.3g} s"
        case SSLError():
            return f"TLS failed: {_system_words(error.args[0] if error.args else None)}"
        case ProtocolError():
            return f"the connection broke: {_system_words(error.args[-1])}"
    return f"the request failed: {type(error).__name__}"


def _system_words(cause: object) -> str:
    """What the operating system or the TLS library called it."""
    if isinstance(cause, ssl.SSLCertVerificationError):
        return cause.verify_message
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return type(cause).__name__
