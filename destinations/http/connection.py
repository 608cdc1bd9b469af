"""urllib3 connections that check the very address they connect to, so that no second look-up can differ."""

import socket
import time
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError

from destinations.http.guard import Guard

# Servers close idle connections, some after 5 seconds; a request sent into that moment would be lost.
IDLE_SECONDS = 4.0


class AddressRefused(HTTPError):
    """The guard does not allow this address."""


class Resolve(Protocol):
    """What `socket.getaddrinfo` does."""

    def __call__(self, host: str, port: int, *, type: int) -> Sequence[tuple[Any, ...]]: ...  # noqa: A002  its name


class Way(msgspec.Struct, frozen=True):
    """How connections are made."""

    guard: Guard
    resolve: Resolve
    opened: set[socket.socket]  # kept up to date by the connections: every socket that is open


class _Guarded(HTTPConnection):
    """Resolves, checks, and connects to what was checked."""

    def __init__(self, *args: Any, way: Way, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._way = way
        self._used_at = time.monotonic()

    def request(self, *args: Any, **kwargs: Any) -> None:
        super().request(*args, **kwargs)
        self._used_at = time.monotonic()

    @property
    def is_connected(self) -> bool:
        return time.monotonic() - self._used_at < IDLE_SECONDS and super().is_connected

    def connect(self) -> None:
        super().connect()
        if self.sock is not None:
            self._way.opened.add(self.sock)

    def close(self) -> None:
        if self.sock is not None:
            self._way.opened.discard(self.sock)
        super().close()

    def _new_conn(self) -> socket.socket:
        try:
            return self._connected(time.monotonic())
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "no connection in time") from error
        except OSError as error:
            raise NewConnectionError(self, "no connection") from error

    def _connected(self, started: float) -> socket.socket:
        host = self._dns_host.strip("[]")
        found = self._way.resolve(host, self.port, type=socket.SOCK_STREAM)
        for *_, address in found:
            if refusal := self._way.guard.refusal(str(address[0]), self.port):
                raise AddressRefused(refusal)
        failure: OSError = OSError("the name has no address")
        for family, kind, protocol, _, address in found:
            try:
                return self._socket(family, kind, protocol, address, started)
            except OSError as error:
                failure = error
        raise failure

    def _socket(self, family: int, kind: int, protocol: int, address: Any, started: float) -> socket.socket:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(self._left(started))
            sock.connect(address)
        except OSError:
            sock.close()
            raise
        return sock

    def _left(self, started: float) -> float | None:
        """What of the connect time-out is left; looking the name up counts."""
        if not isinstance(self.timeout, int | float):
            return None
        left = self.timeout - (time.monotonic() - started)
        if left <= 0:
            raise TimeoutError
        return left


class _Plain(_Guarded):
    pass


class _Secure(_Guarded, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


class GuardedPools(urllib3.PoolManager):
    """Connection pools per origin, without retries, redirects or proxies of the environment."""

    def __init__(self, way: Way, connections: int) -> None:
        super().__init__(num_pools=16, maxsize=connections, block=False, retries=False)
        self._way = way
        self.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}

    def _new_pool(
        self, scheme: str, host: str, port: int, request_context: dict[str, Any] | None = None
    ) -> HTTPConnectionPool:
        pool = super()._new_pool(scheme, host, port, request_context)
        pool.conn_kw["way"] = self._way
        return pool
