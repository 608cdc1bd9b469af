"""The base of a destination that speaks HTTP: an author writes `build`, the rest is here."""

import functools
import time
from abc import abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import TypeVar

import msgspec

from destinations.adapter import Destination
from destinations.forgetting import Erased, Erasure, Failed, Subject, Unsupported
from destinations.http.interpret import by_status
from destinations.http.lanes import Packing, Part
from destinations.http.request import Answer, Request, flaw, merged
from destinations.http.sender import ADAPTER_FAILURES, BEHIND, Plan, Sending, adapter_failed, redacted
from destinations.http.settings import HttpSettings
from destinations.http.transport import HttpTransport, Transport
from destinations.outcome import Delivered, Filtered, Outcome, Rejected, is_final
from destinations.redaction import Redactor
from schemas.envelope import Envelope
from schemas.message import identity

USER_AGENT = f"Turnout/{version('turnout')}"

Built = Request | Sequence[Request] | Filtered | Rejected


S = TypeVar("S", bound=HttpSettings)


class HttpDestination(Destination[S]):
    """`build` makes requests of a message. It is pure: no clock, no network, no randomness.

    May be overridden, each pure too: `interpret` (what an answer means), `packing` and `combine` (several messages in
    one request), `seal` (what depends on the moment of sending, such as a signature over the exact bytes).
    """

    def __init__(
        self,
        name: str,
        settings: S,
        *,
        transport: Transport | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(name, settings)
        self.redact = Redactor(settings)
        self._clock = clock
        self._given = transport

    @abstractmethod
    def build(self, envelope: Envelope, settings: S) -> Built:
        """The request, or requests, that carry this message; or why there is none."""

    def packing(self, settings: S) -> Packing:
        """How many requests of the same `batch` name may travel as one."""
        return Packing()

    def combine(self, requests: Sequence[Request], settings: S) -> Request:
        """One request for several: a JSON array of their bodies, else like the first."""
        body = b"[" + b",".join(request.body for request in requests) + b"]"
        return msgspec.structs.replace(requests[0], body=body)

    def seal(self, request: Request, settings: S, now: float) -> Request:
        """The request as it goes out at `now` (epoch seconds)."""
        return request

    def interpret(self, requests: Sequence[Request], answer: Answer) -> Sequence[Outcome]:
        """One outcome for each of the requests that travelled together."""
        return by_status(requests, answer)

    def build_deletion(self, subject: Subject, settings: S) -> Sequence[Request] | None:
        """The requests that have the user deleted; None where the destination cannot be asked to."""
        return None

    def forget(self, subject: Subject, deadline: float) -> Erasure:
        requests = self.build_deletion(subject, self.settings)
        if requests is None:
            return Unsupported()
        sending = Sending(self._plan, self._transport, deadline)
        sending.carry([Part(index, str(index), request) for index, request in enumerate(requests)], self._threads)
        for outcome in sending.outcomes.values():
            if not isinstance(outcome, Delivered):
                return Failed(outcome.reason)
        return Erased()

    def deliver(self, batch: Sequence[Envelope], deadline: float) -> Sequence[Outcome]:
        sending = Sending(self._plan, self._transport, deadline)
        parts: list[Part] = []
        held: set[str] = set()
        for index, envelope in enumerate(batch):
            user = self._chain(index, envelope)
            match BEHIND if user in held else self.preview(envelope):
                case list() as requests:
                    parts += [Part(index, user, request) for request in requests]
                case outcome:
                    sending.outcomes[index] = outcome
                    if not is_final(outcome):
                        held.add(user)
        if parts:
            sending.carry(parts, self._threads)
        return [sending.outcomes[index] for index in range(len(batch))]

    def _chain(self, index: int, envelope: Envelope) -> str:
        """What those messages have in common that must go one after the other."""
        if self.order == "none":
            return str(index)
        return f"{envelope.source}\n{identity(envelope.head)}" if self.order == "user" else envelope.lane

    def preview(self, envelope: Envelope) -> list[Request] | Outcome:
        """What would be sent for this message, before combining and sealing; touches nothing."""
        try:
            built = self.build(envelope, self.settings)
        except ADAPTER_FAILURES as error:
            return adapter_failed("the request could not be built", error, self.redact)
        if isinstance(built, Filtered | Rejected):
            return redacted(built, self.redact)
        requests = [built] if isinstance(built, Request) else list(built)
        if not requests:
            return Filtered("the destination has nothing to send for this message")
        flaws = [problem for request in requests if (problem := flaw(request))]
        return Rejected(self.redact(flaws[0])) if flaws else requests

    def wire(self, requests: Sequence[Request], now: float) -> Request:
        """What goes over the wire for these requests at `now`."""
        first = requests[0]
        request = self.combine(requests, self.settings) if first.batch else first
        named = msgspec.structs.replace(request, headers=merged({"User-Agent": USER_AGENT}, request.headers))
        return self.seal(named, self.settings, now)

    def close(self) -> None:
        if "_threads" in self.__dict__:
            self._threads.shutdown(wait=False, cancel_futures=True)
        if "_transport" in self.__dict__:
            self._transport.close()

    def check(self) -> str | None:
        """Open a connection to each URL of the settings, and send nothing."""
        for name, url in self.settings.urls().items():
            if trouble := self._transport.reach(url, self.settings.timeout):
                return self.redact(f"{name}: {trouble}")
        return None

    @functools.cached_property
    def _transport(self) -> Transport:
        return self._given or HttpTransport(self.settings.guard, self.settings.concurrency)

    @functools.cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.settings.concurrency, thread_name_prefix=f"destination-{self.name}")

    @functools.cached_property
    def _plan(self) -> Plan:
        return Plan(
            complete=lambda requests: self.wire(requests, self._clock()),
            interpret=self.interpret,
            redact=self.redact,
            packing=self.packing(self.settings),
            width=self.settings.concurrency,
            timeout=self.settings.timeout,
        )
