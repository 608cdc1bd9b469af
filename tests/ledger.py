"""A client that keeps books: what it was told is accepted, and in which order each user's messages were sent."""

import itertools
import threading
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from tests.running import Running
from tests.waiting import eventually

TRIES_WITHIN = 20.0
NO_ANSWER = 0
"""In the book of answers: a connection that was refused, or broke."""


class Ledger:
    """Posts batches from several threads, each with users of its own, and repeats a batch until it is accepted.

    `name` goes before the names of the users, so that several ledgers of one system keep apart; `pause` are seconds
    between the batches of a thread; with several `ports` a batch that fails at one goes to the next.
    """

    def __init__(
        self,
        turnout: Running,
        *,
        threads: int = 3,
        users: int = 4,
        batch: int = 20,
        name: str = "",
        key: str | None = None,
        pause: float = 0.05,
        ports: Sequence[int] = (),
    ) -> None:
        self._turnout = turnout
        self._batch = batch
        self._key = key
        self._pause = pause
        self._ports = itertools.cycle(ports or [turnout.port])
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.accepted: dict[str, list[str]] = defaultdict(list)
        """The message ids of each user, in the order of their acceptance."""
        self.posted: set[str] = set()
        """All that was ever sent, whatever the answer."""
        self.answers: Counter[int] = Counter()
        """How often each status came; NO_ANSWER where none did."""
        self.last_answer = ""
        self.repeats = 0
        before = f"{name}-" if name else ""
        names = [[f"{before}t{thread}-u{user}" for user in range(users)] for thread in range(threads)]
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
        assert not self.failures, (self.failures, self.answers, self.last_answer)

    def size(self) -> int:
        with self._lock:
            return sum(len(ids) for ids in self.accepted.values())

    def ids(self) -> set[str]:
        with self._lock:
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
                self._stop.wait(self._pause)
        except BaseException as error:  # noqa: BLE001  # told to the test at the end
            self.failures.append(error)

    def _insist(self, batch: Sequence[dict[str, Any]]) -> None:
        with self._lock:
            self.posted.update(message["messageId"] for message in batch)
        eventually(lambda: self._accepted({"batch": batch}), within=TRIES_WITHIN, what="a batch was accepted")
        with self._lock:
            for message in batch:
                self.accepted[message["userId"]].append(message["messageId"])

    def _message(self, user: str, number: int) -> dict[str, Any]:
        return {"type": "track", "event": "Step", "userId": user, "messageId": f"{user}-{number:06d}"}

    def _accepted(self, body: dict[str, Any]) -> bool:
        try:
            status, answer = self._turnout.post("/v1/batch", body, key=self._key, port=next(self._ports))
            self.last_answer = str(answer)
        except (OSError, HTTPException, ValueError):
            status = NO_ANSWER  # nobody knows whether it was stored: the same batch goes out again
        with self._lock:
            self.answers[status] += 1
            self.repeats += status != 200
        return status == 200


@dataclass(frozen=True)
class Findings:
    """What a destination got, held against what was accepted."""

    messages: int
    lost: int
    """Accepted, and neither delivered nor a dead letter."""
    invented: int
    """Delivered or dead, and never posted."""
    doubled: int
    """Deliveries beyond the first of each message."""
    disordered: int
    """First deliveries that came after a later message of the same user."""


def compare(ledger: Ledger, arrivals: Sequence[Mapping[str, Any]], dead: Collection[str] = frozenset()) -> Findings:
    """The ledger's own messages only: those of other ledgers are left out by the names of their users."""
    mine = [message for message in arrivals if message["userId"] in ledger.accepted]
    times = Counter(message["messageId"] for message in mine)
    accepted = ledger.ids()
    return Findings(
        messages=len(accepted),
        lost=len(accepted - set(times) - set(dead)),
        invented=len((set(times) | set(dead)) - ledger.posted),
        doubled=times.total() - len(times),
        disordered=_disordered(first_deliveries(mine), ledger.accepted),
    )


def _disordered(first: Mapping[str, Sequence[str]], accepted: Mapping[str, Sequence[str]]) -> int:
    found = 0
    for user, ids in first.items():
        places = {message_id: place for place, message_id in enumerate(accepted.get(user, ()))}
        furthest = -1
        for message_id in ids:
            place = places.get(message_id, -1)
            found += place < furthest
            furthest = max(furthest, place)
    return found


def first_deliveries(messages: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The message ids that each user's messages first arrived with, in the order of arrival."""
    seen: set[str] = set()
    found: dict[str, list[str]] = defaultdict(list)
    for message in messages:
        if message["messageId"] not in seen:
            seen.add(message["messageId"])
            found[message["userId"]].append(message["messageId"])
    return dict(found)


def whole_lines(file: Path) -> list[str]:
    """The lines of a file that somebody may be writing at this moment: none while it is not there, no half one."""
    return file.read_text().split("\n")[:-1] if file.exists() else []
