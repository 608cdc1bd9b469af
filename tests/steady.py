"""A client like an SDK: keeps its connection, opens another when it must, sends again what got no answer."""

import base64
import http.client
import itertools
import json
import threading
from collections import Counter

from tests.running import Running
from tests.waiting import eventually

PAUSE = 0.01
"""Seconds between two requests of a thread: what is tried here also needs the processor."""


class Steady:
    """Posts from several threads until the end of `with`, and counts what it met."""

    def __init__(self, turnout: Running, *, threads: int = 3, event: str = "Step") -> None:
        self._turnout = turnout
        self._event = event
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.statuses: Counter[int] = Counter()
        self.refused = 0
        """Connections that nobody accepted."""
        self.broken = 0
        """Requests without an answer."""
        self.accepted: list[str] = []
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(threads)]

    def __enter__(self) -> "Steady":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def grows_by(self, count: int, within: float = 60.0) -> None:
        """Wait until so many more messages were accepted."""
        goal = len(self.accepted) + count
        eventually(lambda: len(self.accepted) >= goal, within=within, what=f"{count} more accepted messages")

    def _run(self, thread: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._turnout.port, timeout=30)
        for number in itertools.count():
            name = f"{self._event}-{thread}-{number:06d}"
            while not self._stop.is_set() and not self._sent(connection, name, f"u{thread}"):
                connection.close()
            if self._stop.wait(PAUSE):
                connection.close()
                return

    def _sent(self, connection: http.client.HTTPConnection, name: str, user: str) -> bool:
        message = {"type": "track", "event": self._event, "userId": user, "messageId": name}
        basic = base64.b64encode(f"{self._turnout.write_key}:".encode()).decode()
        try:
            connection.request("POST", "/v1/track", json.dumps(message), {"Authorization": f"Basic {basic}"})
            answer = connection.getresponse()
            answer.read()
        except ConnectionRefusedError:
            self._count(refused=1)
            return False
        except (OSError, http.client.HTTPException):
            self._count(broken=1)
            return False
        with self._lock:
            self.statuses[answer.status] += 1
            if answer.status == 200:
                self.accepted.append(name)
        return answer.status == 200

    def _count(self, *, refused: int = 0, broken: int = 0) -> None:
        with self._lock:
            self.refused += refused
            self.broken += broken
