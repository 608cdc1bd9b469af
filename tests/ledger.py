"""A client that keeps books: what it was told is accepted, and in which order each user's messages were sent."""

import itertools
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from typing import Any

from tests.running import Running
from tests.waiting import eventually

TRIES_WITHIN = 60.0


class Ledger:
    """Posts batches from several threads, each with users of its own, and repeats a batch until it is accepted."""

    def __init__(self, turnout: Running, *, threads: int = 3, users: int = 4, batch: int = 20) -> None:
        self._turnout = turnout
        self._batch = batch
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.accepted: dict[str, list[str]] = defaultdict(list)
        """The message ids of each user, in the order of their acceptance."""
        self.repeats = 0
        names = [[f"t{thread}-u{user}" for user in range(users)] for thread in range(threads)]
        self._threads = [threading.Thread(target=self._post, args=(mine,), name=mine[0]) for mine in names]
        self.failures: list[BaseException] = []

    def __enter__(self) -> "Ledger":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        assert not self.failures, self.failures

    def size(self) -> int:
        with self._lock:
            return sum(len(ids) for ids in self.accepted.values())

    def ids(self) -> set[str]:
        return {message_id for ids in self.accepted.values() for message_id in ids}

    def grows_by(self, count: int, within: float = 60.0) -> None:
        """Wait until so many more messages were accepted."""
        goal = self.size() + count
        eventually(lambda: self.failures or self.size() >= goal, within=within, what=f"{count} more accepted messages")

    def _post(self, users: Sequence[str]) -> None:
        numbers = itertools.count()
        try:
            while not self._stop.is_set():
                batch = [
                    self._message(users[number % len(users)], number)
                    for number in itertools.islice(numbers, self._batch)
                ]
                self._insist(batch)
        except BaseException as error:  # noqa: BLE001  # told to the test at the end
            self.failures.append(error)

    def _insist(self, batch: Sequence[dict[str, Any]]) -> None:
        eventually(lambda: self._accepted({"batch": batch}), within=TRIES_WITHIN, what="a batch was accepted")
        with self._lock:
            for message in batch:
                self.accepted[message["userId"]].append(message["messageId"])

    def _message(self, user: str, number: int) -> dict[str, Any]:
        return {"type": "track", "event": "Step", "userId": user, "messageId": f"{user}-{number:06d}"}

    def _accepted(self, body: dict[str, Any]) -> bool:
        try:
            status, _ = self._turnout.post("/v1/batch", body)
        except (OSError, HTTPException, ValueError):
            status = 0  # nobody knows whether it was stored: the same batch goes out again
        if status != 200:
            self.repeats += 1
        return status == 200


def first_deliveries(messages: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The message ids that each user's messages first arrived with, in the order of arrival."""
    seen: set[str] = set()
    found: dict[str, list[str]] = defaultdict(list)
    for message in messages:
        if message["messageId"] not in seen:
            seen.add(message["messageId"])
            found[message["userId"]].append(message["messageId"])
    return dict(found)
