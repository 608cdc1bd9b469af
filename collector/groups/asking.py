"""Ask the database of users and groups from the event loop, which never waits for it longer than it is told to.

One question is under way at a time, in a thread of its own, and is about all that is wanted meanwhile. A database that
fails or is slow is left alone for a while, and then tried again while nobody waits.
"""

import asyncio
import importlib
import logging
import queue
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Protocol, cast

from destinations.blame import steps_of
from destinations.profiles.membership import Standings
from destinations.profiles.node import Node
from destinations.sql.errors import DatabaseAway
from destinations.sql.url import DatabaseUrl

OPENS_WITHIN = 5.0
RESTS_FOR = 2.0
"""Seconds for which nobody is asked after trouble."""

Found = Mapping[Node, Standings]
logger = logging.getLogger(__name__)


class Groups(Protocol):
    """The database, open; used by one thread."""

    def of(self, people: Collection[Node]) -> Found: ...

    def close(self) -> None: ...


Open = Callable[[], Groups]


def opening(url: DatabaseUrl) -> Open:
    """What opens it. Its driver is loaded then: a collector none of whose sources asks does without."""
    return lambda: cast(Groups, importlib.import_module("destinations.profiles.belonging").Groups(url))


class Question:
    """Whom it is about may grow until the thread is free for it."""

    def __init__(self) -> None:
        self.people: set[Node] = set()
        self.answer: asyncio.Future[Found | None] = asyncio.get_running_loop().create_future()

    def settle(self, found: Found | None) -> None:
        if not self.answer.done():
            self.answer.set_result(found)


class Asking:
    """To be made, and used, on the event loop."""

    def __init__(self, opened: Open, *, patience: float, clock: Callable[[], float]) -> None:
        """`patience`: so many seconds an answer may take."""
        self._patience = patience
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._next = Question()
        self._under_way: Question | None = None
        self._questions: queue.SimpleQueue[Question | None] = queue.SimpleQueue()
        self._trouble: str | None = None
        self._rests_until = 0.0
        self._unanswered = 0
        # A thread that hangs in the database must not keep the process from ending.
        self._thread = threading.Thread(target=self._work, args=(opened,), name="groups", daemon=True)
        self._thread.start()
        self._first = self._ask()  # about nobody: it opens the database

    async def opened(self) -> None:
        """Wait for the database, so that the first messages have their groups; not for long."""
        await self._within(self._first, OPENS_WITHIN)

    async def about(self, people: Collection[Node], messages: int) -> Found | None:
        """None when the database does not tell in time: `messages` then go without."""
        found = None
        if self._trouble is None:
            question = self._next
            question.people.update(people)
            if self._under_way is None:
                self._ask()
            found = await self._within(question, self._patience)
        elif self._under_way is None and self._clock() >= self._rests_until:
            self._ask()  # whether it is there again; nobody waits for the answer
        if found is None:
            self._unanswered += messages
        return found

    def stop(self) -> None:
        self._questions.put(None)

    async def _within(self, question: Question, seconds: float) -> Found | None:
        try:
            return await asyncio.wait_for(asyncio.shield(question.answer), seconds)
        except TimeoutError:
            self._fail(f"their database has not answered within {seconds:g} s")
            return None

    def _ask(self) -> Question:
        question, self._next = self._next, Question()
        self._under_way = question
        self._questions.put(question)
        return question

    def _answered(self, question: Question, found: Found | Exception) -> None:
        """Called on the event loop by the thread."""
        self._under_way = None
        if isinstance(found, Exception):
            self._fail(_words(found))
            for asked in (question, self._next):
                asked.settle(None)
            self._next = Question()
            return
        question.settle(found)
        self._recover()
        if self._next.people:
            self._ask()

    def _fail(self, reason: str) -> None:
        self._rests_until = self._clock() + RESTS_FOR
        if self._trouble is None:
            self._trouble = reason
            logger.warning("messages go on without the groups of their users: %s", reason)

    def _recover(self) -> None:
        if self._trouble is not None:
            words = "messages have the groups of their users again; %d had to go without"
            logger.warning(words, self._unanswered)
        self._trouble, self._unanswered = None, 0

    def _work(self, opened: Open) -> None:
        groups: Groups | None = None
        while (question := self._questions.get()) is not None:
            found: Found | Exception
            try:
                groups = groups or opened()
                found = groups.of(frozenset(question.people))
            except Exception as error:  # noqa: BLE001 - told by whoever asked
                found = error
            try:
                self._loop.call_soon_threadsafe(self._answered, question, found)
            except RuntimeError:  # the loop has closed
                break
        if groups is not None:
            groups.close()


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, DatabaseAway) else f"a bug: {type(error).__name__} at {steps_of(error)}"
