"""A TCP proxy that carries bytes faithfully until a test has it delay, cut or lead somewhere else."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

CHUNK = 65_536


class Proxy:
    """Listens on a free port of 127.0.0.1 and passes on to `target`, a port of 127.0.0.1."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._answer_bytes_left: int | None = None
        self._delay = 0.0
        self._closed = threading.Event()
        self.cuts = 0
        """How often a connection was cut in the middle of an answer."""

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._listening.close()
        self.drop_all()

    @property
    def port(self) -> int:
        return int(self._listening.getsockname()[1])

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def cut_after(self, answer_bytes: int) -> None:
        """Reset the connection that carries this many more bytes of answers; once."""
        with self._lock:
            self._answer_bytes_left = answer_bytes

    def lead_to(self, target: int) -> None:
        """Connections from now on go there; those that are open are cut."""
        self._target = target
        self.drop_all()

    @contextmanager
    def delaying(self, seconds: float) -> Iterator[None]:
        """Every answer is held back for so long inside of `with`."""
        self._delay = seconds
        try:
            yield
        finally:
            self._delay = 0.0

    def drop_all(self) -> None:
        with self._lock:
            there = list(self._open)
        for connection in there:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target), timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._connect, args=(client, server), daemon=True).start()

    def _connect(self, client: socket.socket, server: socket.socket) -> None:
        with self._lock:
            self._open.update((client, server))
        answers = threading.Thread(target=self._carry_answers, args=(server, client), daemon=True)
        answers.start()
        self._carry(client, server)
        answers.join()
        with self._lock:
            self._open.difference_update((client, server))
        client.close()
        server.close()

    def _carry(self, here: socket.socket, there: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := here.recv(CHUNK):
                there.sendall(chunk)
        _end(here, there)

    def _carry_answers(self, here: socket.socket, there: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := here.recv(CHUNK):
                self._closed.wait(self._delay)
                allowed = self._allowed(len(chunk))
                there.sendall(chunk[:allowed])
                if allowed < len(chunk):
                    break
        _end(here, there)

    def _allowed(self, size: int) -> int:
        """How many of so many bytes may pass before the connection is cut."""
        with self._lock:
            left = self._answer_bytes_left
            if left is None:
                return size
            if size <= left:
                self._answer_bytes_left = left - size
                return size
            self._answer_bytes_left = None
            self.cuts += 1
            return left


def _end(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
