"""Carry the requests of one batch out: side by side, in each user's order, and never past the deadline."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, wait

import msgspec

from destinations.http.interpret import may_be_one, speaks_for_all
from destinations.http.lanes import Lane, Packing, Part, lanes, packs
from destinations.http.request import Answer, NoAnswer, Request, flaw
from destinations.http.transport import Transport
from destinations.outcome import Deferred, Delivered, Outcome, Rejected, is_final

# A request that is begun with less time than this left would most likely be cut off, and count as a failure.
LEAST_SECONDS = 0.1
# What a thread is given to notice that its connection was cut.
CUT_SECONDS = 0.1

# What an adapter's own code raises when a message, or an answer, is not as it supposes.
ADAPTER_FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    msgspec.MsgspecError,
    RecursionError,
    TypeError,
    ValueError,
)

BEHIND = Deferred("behind an earlier message", 0.0)
NO_TIME = Deferred("no time left", 0.0)
CUT_OFF = Deferred("no answer before the deadline")

Interpret = Callable[[Sequence[Request], Answer], Sequence[Outcome]]


class Plan(msgspec.Struct, frozen=True):
    """How the requests of one destination are to be sent."""

    complete: Callable[[Sequence[Request]], Request]  # what goes over the wire for these: combined, and sealed
    interpret: Interpret
    redact: Callable[[str], str]
    packing: Packing
    width: int  # requests at the same time
    timeout: float  # seconds for one request


class Outage:
    """Whether the destination as a whole has failed during this batch, as seen by all threads."""

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._lock = threading.Lock()
        self._failures = 0
        self._reason: str | None = None

    @property
    def untried(self) -> Deferred | None:
        """The outcome of what is not tried any more; None while all is well."""
        return None if self._reason is None else Deferred(f"not tried: {self._reason}", 0.0)

    def certain(self, reason: str) -> None:
        """This failure would meet every other message too."""
        with self._lock:
            self._reason = self._reason or reason

    def saw(self, outcome: Outcome) -> None:
        """A failure that may be one message's own; without any success in between, many make an outage."""
        with self._lock:
            self._failures = self._failures + 1 if isinstance(outcome, Deferred) else 0
            if isinstance(outcome, Deferred) and self._failures >= self._patience:
                self._reason = self._reason or outcome.reason


class Sending:
    """One batch on its way. `outcomes` holds what is known of each message, by its index."""

    def __init__(self, plan: Plan, transport: Transport, deadline: float) -> None:
        self._plan = plan
        self._transport = transport
        self._deadline = deadline
        self._outage = Outage(2 * plan.width)
        self.outcomes: dict[int, Outcome] = {}

    def carry(self, parts: Sequence[Part], threads: Executor) -> None:
        """Send all there is time for; afterwards every message has its outcome."""
        running = [threads.submit(self._run, lane) for lane in lanes(parts, self._plan.packing, self._plan.width)]
        _, late = wait(running, timeout=max(0.0, self._deadline - time.monotonic()))
        if late:
            self._outage.certain("no time left")
            self._transport.cut()
            wait(late, timeout=CUT_SECONDS)
        for future in running:
            if future.done() and not future.cancelled():
                future.result()
            future.cancel()
        for part in parts:
            self.outcomes.setdefault(part.message, CUT_OFF)

    def _run(self, lane: Lane) -> None:
        held: set[str] = set()
        for pack in packs(lane, self._plan.packing):
            ready = [part for part in pack if self._is_next(part, held)]
            for part, outcome in zip(ready, self._exchange(ready) if ready else (), strict=True):
                self._note(part, outcome)
                if not is_final(outcome):
                    held.add(part.user)

    def _is_next(self, part: Part, held: set[str]) -> bool:
        """False when the part must not be sent: an earlier one of its message, or of its user, did not get there."""
        known = self.outcomes.get(part.message)
        if known is None and part.user in held:
            self.outcomes[part.message] = BEHIND
            return False
        return known is None or isinstance(known, Delivered)

    def _note(self, part: Part, outcome: Outcome) -> None:
        """A message with several requests is delivered when all are."""
        if isinstance(self.outcomes.get(part.message, Delivered()), Delivered):
            self.outcomes[part.message] = outcome

    def _exchange(self, pack: Lane) -> Sequence[Outcome]:
        """Send the pack as one request; a refusal that may be due to one message is tried again by halves."""
        requests = [part.request for part in pack]
        untried = self._untried()
        if untried is not None:
            return [untried] * len(pack)
        answer = self._sent(requests)
        if not isinstance(answer, Answer):
            return [answer] * len(pack)
        outcomes = self._understood(requests, answer)
        if len(pack) > 1 and may_be_one(answer) and all(isinstance(one, Rejected) for one in outcomes):
            return self._halves(pack)
        self._learn(answer, outcomes)
        return outcomes

    def _halves(self, pack: Lane) -> Sequence[Outcome]:
        middle = len(pack) // 2
        first = list(self._exchange(pack[:middle]))
        held = {part.user for part, outcome in zip(pack, first, strict=False) if not is_final(outcome)}
        rest = [part for part in pack[middle:] if part.user not in held]
        later = iter(self._exchange(rest) if rest else ())
        return first + [BEHIND if part.user in held else next(later) for part in pack[middle:]]

    def _untried(self) -> Deferred | None:
        if self._outage.untried is not None:
            return self._outage.untried
        return NO_TIME if self._deadline - time.monotonic() < LEAST_SECONDS else None

    def _sent(self, requests: Sequence[Request]) -> Answer | Outcome:
        try:
            request = self._plan.complete(requests)
        except ADAPTER_FAILURES as error:
            return self.failed("the request could not be completed", error)
        if problem := flaw(request):
            return Rejected(problem)
        timeout = min(self._plan.timeout, self._deadline - time.monotonic())
        answer = self._transport.send(request, timeout)
        if isinstance(answer, NoAnswer):
            reason = self._plan.redact(answer.reason)
            self._outage.certain(reason)
            return Deferred(reason)
        return answer

    def _understood(self, requests: Sequence[Request], answer: Answer) -> Sequence[Outcome]:
        """As many outcomes as requests, whatever the adapter made of the answer."""
        try:
            outcomes = self._plan.interpret(requests, answer)
        except ADAPTER_FAILURES as error:
            return [self.failed(f"the answer {answer.status} was not understood", error)] * len(requests)
        if len(outcomes) != len(requests):
            reason = f"the adapter gave {len(outcomes)} outcomes for {len(requests)} requests"
            return [Deferred(reason)] * len(requests)
        return [redacted(outcome, self._plan.redact) for outcome in outcomes]

    def _learn(self, answer: Answer, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            self._outage.saw(outcome)
            if isinstance(outcome, Deferred) and speaks_for_all(answer):
                self._outage.certain(outcome.reason)

    def failed(self, what: str, error: Exception) -> Deferred:
        return adapter_failed(what, error, self._plan.redact)


def adapter_failed(what: str, error: Exception, redact: Callable[[str], str]) -> Deferred:
    """The adapter's mistake, not the message's: it waits for a better adapter."""
    return Deferred(redact(f"{what}: {type(error).__name__}: {error}")[:300])


def redacted(outcome: Outcome, redact: Callable[[str], str]) -> Outcome:
    if isinstance(outcome, Delivered):
        return outcome
    return msgspec.structs.replace(outcome, reason=redact(outcome.reason))
