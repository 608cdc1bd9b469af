"""Carry the requests of one batch out: side by side, in each user's order, and never past the deadline."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, wait

import msgspec

from destinations.blame import steps_of
from destinations.http.interpret import may_be_one, scope_of
from destinations.http.lanes import Lane, Packing, Part, lanes, packs
from destinations.http.request import Answer, NoAnswer, Request, flaw
from destinations.http.said import exchange_of, with_exchange
from destinations.http.transport import Transport
from destinations.outcome import Deferred, Delivered, Outcome, Rejected, Scope, is_final

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
CUT_OFF = Deferred("no answer before the deadline", scope="destination")

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


class Sent(msgspec.Struct, frozen=True):
    """A request that was answered, as it went over the wire."""

    request: Request
    answer: Answer
    took: float  # seconds


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
        sent = self._sent(requests)
        if not isinstance(sent, Sent):
            return [sent] * len(pack)
        answer, outcomes = sent.answer, self._understood(requests, sent)
        if len(pack) > 1 and may_be_one(answer) and all(isinstance(one, Rejected) for one in outcomes):
            return self._halves(pack)
        self._learn(outcomes)
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

    def _sent(self, requests: Sequence[Request]) -> Sent | Outcome:
        try:
            request = self._plan.complete(requests)
        except ADAPTER_FAILURES as error:
            return self.failed("the request could not be completed", error)
        if problem := flaw(request):
            return Rejected(problem)
        begun = time.monotonic()
        answer = self._transport.send(request, min(self._plan.timeout, self._deadline - begun))
        took = time.monotonic() - begun
        if isinstance(answer, NoAnswer):
            reason = self._plan.redact(answer.reason)
            self._outage.certain(reason)
            exchange = exchange_of(request, None, took, self._plan.redact)
            return Deferred(reason, scope="destination", exchange=exchange)
        return Sent(request, answer, took)

    def _understood(self, requests: Sequence[Request], sent: Sent) -> Sequence[Outcome]:
        """As many outcomes as requests, whatever the adapter made of the answer."""
        outcomes = self._interpreted(requests, sent.answer)
        if all(isinstance(outcome, Delivered) for outcome in outcomes):
            return outcomes
        exchange = exchange_of(sent.request, sent.answer, sent.took, self._plan.redact)
        scope = scope_of(sent.answer)
        return [with_exchange(redacted(widened(one, scope), self._plan.redact), exchange) for one in outcomes]

    def _interpreted(self, requests: Sequence[Request], answer: Answer) -> Sequence[Outcome]:
        try:
            outcomes = self._plan.interpret(requests, answer)
        except ADAPTER_FAILURES as error:
            return [self.failed(f"the answer {answer.status} was not understood", error)] * len(requests)
        if len(outcomes) != len(requests):
            reason = f"the adapter gave {len(outcomes)} outcomes for {len(requests)} requests"
            return [Deferred(reason, scope="adapter")] * len(requests)
        return outcomes

    def _learn(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            self._outage.saw(outcome)
            if isinstance(outcome, Deferred) and outcome.scope in ("destination", "settings"):
                self._outage.certain(outcome.reason)

    def failed(self, what: str, error: Exception) -> Deferred:
        return adapter_failed(what, error, self._plan.redact)


def adapter_failed(what: str, error: Exception, redact: Callable[[str], str]) -> Deferred:
    """The adapter's mistake, not the message's: it waits for a better adapter."""
    words = redact(f"{what}: {type(error).__name__}: {error}")[:300]
    return Deferred(f"{words}, at {steps_of(error)}"[:800], scope="adapter")


def widened(outcome: Outcome, scope: Scope) -> Outcome:
    """A failure with a status that speaks for all messages is not about one, whatever the adapter thought of it."""
    if isinstance(outcome, Deferred) and outcome.scope == "message" and scope != "message":
        return msgspec.structs.replace(outcome, scope=scope)
    return outcome


def redacted(outcome: Outcome, redact: Callable[[str], str]) -> Outcome:
    if isinstance(outcome, Delivered):
        return outcome
    return msgspec.structs.replace(outcome, reason=redact(outcome.reason))
