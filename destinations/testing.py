"""The contract that every adapter keeps, as tests: subclass one of the classes, and let pytest collect it.

class TestGreeting(HttpAdapterContract):
    destination = Greeting
    table = {"url": "https://example.com/in", "token": "planted-secret"}
"""

import email.utils
import functools
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from destinations.adapter import Destination
from destinations.http.destination import HttpDestination
from destinations.http.request import Answer, NoAnswer, Request, flaw
from destinations.outcome import Deferred, Delivered, Outcome
from destinations.redaction import secrets_of
from destinations.samples import envelope_of, message, samples
from destinations.settings import describe, hide, read_table
from schemas.envelope import Envelope

PLACE = "turnout.toml [destinations.example]"
_NOON = 1_700_000_000.0

_ODD_BODIES = (
    b"",
    b"{}",
    b"[]",
    b"null",
    b"0",
    b'"text"',
    b'{"errors": [{"index": 99}]}',
    b'{"results": null}',
    b'{"trunc',
    b"<html><body>Bad gateway</body></html>",
    b"\xff\xfe\x00",
    b"x" * 1_048_576,
)


class ScriptedTransport:
    """A network whose other end is a function; it keeps what was sent."""

    def __init__(self, answer: Callable[[Request], Answer | NoAnswer]) -> None:
        self._answer = answer
        self.sent: list[Request] = []

    def send(self, request: Request, timeout: float) -> Answer | NoAnswer:
        self.sent.append(request)
        return self._answer(request)

    def reach(self, url: str, timeout: float) -> str | None:
        return None

    def cut(self) -> None:
        return None

    def close(self) -> None:
        return None


class AdapterContract:
    """What holds for every destination. Set `destination`, and `table`: valid settings, each required one among them.

    Settings that name files are made in `settings_in`, which is given an empty directory.
    """

    destination: type[Destination[Any]]
    table: ClassVar[dict[str, Any]] = {}

    def settings_in(self, folder: Path) -> dict[str, Any]:
        return self.table

    def settings(self, folder: Path) -> Any:
        found, problems = read_table(self.destination.shape, self.settings_in(folder), PLACE)
        assert found is not None, f"the settings are not valid: {[str(problem) for problem in problems]}"
        return found

    def made(self, folder: Path) -> Destination[Any]:
        return self.destination("example", self.settings(folder))

    def test_the_settings_are_valid(self, tmp_path: Path) -> None:
        assert isinstance(self.settings(tmp_path), self.destination.shape)

    def test_every_required_setting_is_missed_by_its_name(self, tmp_path: Path) -> None:
        for field in describe(self.destination.shape):
            if field.required:
                table = {key: value for key, value in self.settings_in(tmp_path).items() if key != field.name}
                _, problems = read_table(self.destination.shape, table, PLACE)
                assert f"{PLACE} {field.name}" in [problem.place for problem in problems], f"{field.name} is not missed"

    def test_a_setting_that_does_not_exist_is_refused(self, tmp_path: Path) -> None:
        table = self.settings_in(tmp_path) | {"no-such-setting": 1}
        _, problems = read_table(self.destination.shape, table, PLACE)
        assert [problem.place for problem in problems] == [f"{PLACE} no-such-setting"]

    def test_every_setting_is_described(self) -> None:
        silent = [field.name for field in describe(self.destination.shape) if not field.description]
        assert not silent, f"without a description: {silent}"

    def test_secrets_do_not_show(self, tmp_path: Path) -> None:
        settings = self.settings(tmp_path)
        shown = [repr(settings), str(settings), msgspec.json.encode(settings, enc_hook=hide).decode()]
        for secret in secrets_of(settings):
            assert not any(secret.reveal() in text for text in shown), "a secret shows in the settings"

    def test_secrets_do_not_show_in_what_is_said_about_wrong_settings(self, tmp_path: Path) -> None:
        planted = [secret.reveal() for secret in secrets_of(self.settings(tmp_path))]
        table = {key: [value] for key, value in self.settings_in(tmp_path).items()}
        _, problems = read_table(self.destination.shape, table, PLACE)
        assert not any(secret in str(problem) for secret in planted for problem in problems)

    def test_every_message_has_an_outcome_in_its_place(self, tmp_path: Path) -> None:
        batch = list(samples().values())
        destination = self.made(tmp_path)
        outcomes = destination.deliver(batch, time.monotonic() + 60)
        destination.close()
        assert len(outcomes) == len(batch)
        assert all(isinstance(outcome, Outcome) for outcome in outcomes)

    def test_no_messages_have_no_outcomes(self, tmp_path: Path) -> None:
        assert list(self.made(tmp_path).deliver([], time.monotonic() + 60)) == []


class StorageAdapterContract(AdapterContract):
    """What holds for a destination that writes messages down. Say in `stored` how to read them back."""

    idempotent: ClassVar[bool] = False

    def stored(self, folder: Path) -> list[bytes]:
        """The bodies that are there, in the order in which they were written."""
        raise NotImplementedError

    def test_what_is_delivered_is_there_in_order(self, tmp_path: Path) -> None:
        batch = list(samples().values())
        outcomes = self.made(tmp_path).deliver(batch, time.monotonic() + 60)
        assert outcomes == [Delivered()] * len(batch)
        assert self.stored(tmp_path) == [envelope.body for envelope in batch]

    def test_a_batch_that_comes_again_is_all_there(self, tmp_path: Path) -> None:
        batch = list(samples().values())
        self.made(tmp_path).deliver(batch[:5], time.monotonic() + 60)
        self.made(tmp_path).deliver(batch, time.monotonic() + 60)
        bodies = [envelope.body for envelope in batch]
        assert self.stored(tmp_path) == (bodies if self.idempotent else bodies[:5] + bodies)


class HttpAdapterContract(AdapterContract):
    """What holds for a destination made of `build`, and perhaps `interpret`, `combine` and `seal`."""

    destination: type[HttpDestination[Any]]

    def made(self, folder: Path) -> HttpDestination[Any]:
        return self.answered(folder, lambda request: Answer(200, body=b"{}"))

    def answered(self, folder: Path, answer: Callable[[Request], Answer | NoAnswer]) -> HttpDestination[Any]:
        transport = ScriptedTransport(answer)
        return self.destination("example", self.settings(folder), transport=transport, clock=lambda: _NOON)

    def requests_for(self, envelope: Envelope, folder: Path) -> list[Request]:
        """The requests that the message becomes."""
        built = self.made(folder).preview(envelope)
        assert isinstance(built, list), f"no request, but {built}"
        return built

    def test_every_message_becomes_requests_or_a_clean_answer(self, tmp_path: Path) -> None:
        destination = self.made(tmp_path)
        for name, envelope in samples().items():
            built = destination.preview(envelope)
            assert not isinstance(built, Deferred | Delivered), f"{name}: {built}"

    def test_a_message_is_built_the_same_every_time(self, tmp_path: Path) -> None:
        destination, settings = self.made(tmp_path), self.settings(tmp_path)
        for name, envelope in samples().items():
            first, again = destination.preview(envelope), destination.preview(envelope)
            assert _bytes(first) == _bytes(again), f"{name} is not built the same twice"
        assert destination.settings == settings, "building changed the settings"

    def test_a_repeat_sends_the_same_body(self, tmp_path: Path) -> None:
        destination = self.made(tmp_path)
        for kind in ("track", "identify"):
            first, later = (envelope_of(message(kind, "full"), attempt=attempt) for attempt in (1, 2))
            assert _bodies(destination.preview(first)) == _bodies(destination.preview(later))

    def test_nothing_that_a_message_says_gets_into_a_header_line(self, tmp_path: Path) -> None:
        destination = self.made(tmp_path)
        for name, envelope in samples().items():
            built = destination.preview(envelope)
            for request in built if isinstance(built, list) else []:
                assert flaw(destination.wire([request], _NOON)) is None, name
                assert not any("x-injected" in header.lower() for header in request.headers), name

    def test_every_status_with_every_body_means_something(self, tmp_path: Path) -> None:
        destination = self.made(tmp_path)
        for count in (1, 3):
            requests = self._requests(destination, count)
            for status in (*range(200, 209), *range(300, 309), *range(400, 452), *range(500, 512), 598, 599, 999):
                for body in _ODD_BODIES:
                    outcomes = destination.interpret(requests, Answer(status, {}, body))
                    assert len(outcomes) == len(requests), f"{status}, {body[:40]!r}"
                    assert all(isinstance(outcome, Outcome) for outcome in outcomes)

    def test_refused_credentials_wait_for_better_ones(self, tmp_path: Path) -> None:
        destination = self.made(tmp_path)
        for status in (401, 403):
            (outcome,) = destination.interpret(self._requests(destination, 1), Answer(status))
            assert isinstance(outcome, Deferred), f"{status} gives {outcome}"

    def test_a_destination_that_is_busy_says_for_how_long(self, tmp_path: Path) -> None:
        requests = self._requests(self.made(tmp_path), 1)
        date = email.utils.formatdate(_NOON + 90, usegmt=True)
        past = email.utils.formatdate(_NOON - 90, usegmt=True)
        asked = {"7": 7.0, date: 90.0, past: None, "soon": None, "-3": None, "": None}
        for text, seconds in asked.items():
            answer = Answer(429, {"retry-after": text}, at=_NOON)
            (outcome,) = self.made(tmp_path).interpret(requests, answer)
            assert isinstance(outcome, Deferred), f"429 gives {outcome}"
            assert outcome.after == seconds, f"Retry-After: {text}"

    def test_a_users_later_messages_wait_for_the_earlier(self, tmp_path: Path) -> None:
        batch = [envelope_of(message("track", "full"), position=number) for number in range(3)]
        destination = self.answered(tmp_path, lambda request: NoAnswer("no answer"))
        outcomes = destination.deliver(batch, time.monotonic() + 60)
        destination.close()
        if any(isinstance(destination.preview(envelope), list) for envelope in batch):
            assert all(isinstance(outcome, Deferred) for outcome in outcomes)

    def test_secrets_do_not_show_in_reasons(self, tmp_path: Path) -> None:
        planted = [secret.reveal() for secret in secrets_of(self.settings(tmp_path))]
        echoed = " ".join(planted).encode()
        for status in (302, 400, 401, 429, 500):
            destination = self.answered(tmp_path, functools.partial(_answer, Answer(status, {}, echoed)))
            outcomes = destination.deliver(list(samples().values()), time.monotonic() + 60)
            destination.close()
            shown = " ".join(map(repr, outcomes))
            assert not any(secret in shown for secret in planted), f"a secret shows after {status}"

    def _requests(self, destination: HttpDestination[Any], count: int) -> Sequence[Request]:
        """Some requests that the adapter makes."""
        built = [destination.preview(envelope) for envelope in samples().values()]
        requests = [request for one in built if isinstance(one, list) for request in one]
        assert requests, "the adapter makes no request of any sample"
        return (requests * count)[:count]


def _answer(answer: Answer, request: Request) -> Answer:
    return answer


def _bytes(built: list[Request] | Outcome) -> list[tuple[Any, ...]] | Outcome:
    if isinstance(built, list):
        return [(one.method, one.url, tuple(one.headers.items()), one.body, one.batch) for one in built]
    return built


def _bodies(built: list[Request] | Outcome) -> list[bytes]:
    return [request.body for request in built] if isinstance(built, list) else []
