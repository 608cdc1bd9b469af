"""What the frame makes of an adapter's seams, also when the adapter is wrong."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import msgspec
import pytest

from destinations.http.destination import Built, HttpDestination
from destinations.http.lanes import Packing, Part, lanes, packs
from destinations.http.request import Answer, NoAnswer, Request, flaw, merged
from destinations.http.settings import HttpSettings
from destinations.outcome import MOST_SAID, Deferred, Delivered, Exchange, Filtered, Outcome, Rejected
from destinations.testing import ScriptedTransport
from destinations.values import Secret
from schemas.envelope import Envelope
from tests.destinations.messages import bare, envelope, envelopes

OK = Answer(200)


class Settings(HttpSettings, frozen=True):
    token: Secret = Secret("planted")


Build = Callable[[Envelope, Settings], Built]


class Example(HttpDestination[Settings]):
    """Builds and interprets as a test says."""

    shape = Settings
    building: Build
    interpreting: Callable[[Sequence[Request], Answer], Sequence[Outcome]] | None = None

    def build(self, envelope: Envelope, settings: Settings) -> Built:
        return self.building(envelope, settings)

    def interpret(self, requests: Sequence[Request], answer: Answer) -> Sequence[Outcome]:
        return self.interpreting(requests, answer) if self.interpreting else super().interpret(requests, answer)


def example(build: Build, answer: Callable[[Request], Answer | NoAnswer] = lambda request: OK) -> Any:
    made = Example("example", Settings(), transport=ScriptedTransport(answer))
    made.building = build
    return made


def deliver(made: Any, batch: list[Envelope]) -> list[Outcome]:
    outcomes = list(made.deliver(batch, time.monotonic() + 30))
    made.close()
    return bare(outcomes)


def post(path: str, body: bytes = b"{}") -> Request:
    return Request("POST", f"https://api.example.com/{path}", body=body)


def test_a_message_with_two_requests_is_delivered_when_both_are() -> None:
    made = example(lambda envelope, settings: [post("a"), post("b")])
    assert deliver(made, envelopes(1)) == [Delivered()]
    assert [request.url[-1] for request in made._given.sent] == ["a", "b"]


def test_the_second_request_waits_for_the_first() -> None:
    made = example(lambda envelope, settings: [post("a"), post("b")], lambda request: Answer(500))
    assert deliver(made, envelopes(2)) == [Deferred("answered 500"), Deferred("behind an earlier message", 0.0)]
    assert len(made._given.sent) == 1


def test_a_message_is_rejected_when_its_second_request_is() -> None:
    made = example(
        lambda envelope, settings: [post("a"), post("b")],
        lambda request: Answer(400) if request.url.endswith("b") else OK,
    )
    assert deliver(made, envelopes(2)) == [Rejected("answered 400", "400")] * 2


def test_what_is_not_for_the_destination_is_filtered_without_holding_its_user() -> None:
    made = example(lambda one, settings: Filtered("odd") if one.json()["properties"]["number"] % 2 else post("a"))
    assert deliver(made, envelopes(3)) == [Delivered(), Filtered("odd"), Delivered()]


def test_nothing_to_send_is_filtered() -> None:
    outcome = Filtered("the destination has nothing to send for this message")
    assert deliver(example(lambda envelope, settings: []), envelopes(1)) == [outcome]


def test_an_adapter_that_fails_on_one_message_delays_its_user_alone() -> None:
    def build(one: Envelope, settings: Settings) -> Built:
        return post(one.json()["properties"]["path"])

    batch = [envelope(0, user="a"), *(envelope(n, user="ab"[n % 2], properties={"path": "x"}) for n in range(1, 4))]
    outcomes = deliver(example(build), batch)
    failed = outcomes.pop(0)
    assert isinstance(failed, Deferred)
    assert failed.scope == "adapter"
    assert failed.reason.startswith("the request could not be built: KeyError: 'path', at ")
    assert "test_http_destination.py" in failed.reason
    assert outcomes == [Delivered(), Deferred("behind an earlier message", 0.0), Delivered()]


def test_an_adapters_failure_shows_no_secret() -> None:
    def build(one: Envelope, settings: Settings) -> Built:
        raise ValueError(f"wrong token {settings.token.reveal()}")

    (outcome,) = deliver(example(build), envelopes(1))
    assert isinstance(outcome, Deferred)
    assert outcome.reason.startswith("the request could not be built: ValueError: wrong token ***, at ")


@pytest.mark.parametrize(
    ("interpret", "reason"),
    [
        (lambda requests, answer: [], "the adapter gave 0 outcomes for 1 requests"),
        (lambda requests, answer: [Delivered()] * 2, "the adapter gave 2 outcomes for 1 requests"),
        (lambda requests, answer: answer.json()["ok"], "the answer 200 was not understood: DecodeError:"),
    ],
)
def test_an_answer_that_the_adapter_cannot_read_is_no_delivery(interpret: Any, reason: str) -> None:
    made = example(lambda envelope, settings: post("a"))
    made.interpreting = interpret
    (outcome,) = deliver(made, envelopes(1))
    assert isinstance(outcome, Deferred)
    assert outcome.scope == "adapter"
    assert outcome.reason.startswith(reason)


@pytest.mark.parametrize(
    ("answer", "scope"),
    [
        (NoAnswer("no connection"), "destination"),
        (Answer(429), "destination"),
        (Answer(401), "settings"),
        (Answer(403), "settings"),
        (Answer(500), "message"),
        (Answer(503), "message"),
        (Answer(408), "message"),
        (Answer(423), "message"),
    ],
)
def test_a_failure_says_whom_it_is_about(answer: Answer | NoAnswer, scope: str) -> None:
    (outcome,) = deliver(example(lambda envelope, settings: post("a"), lambda request: answer), envelopes(1))
    assert isinstance(outcome, Deferred)
    assert outcome.scope == scope


def test_a_status_that_speaks_for_all_does_so_whatever_the_adapter_makes_of_it() -> None:
    made = example(lambda envelope, settings: post("a"), lambda request: Answer(429))
    made.interpreting = lambda requests, answer: [Deferred("busy", 3.0)]
    assert deliver(made, envelopes(1)) == [Deferred("busy", 3.0, "destination")]


def test_a_connection_that_breaks_after_a_success_is_still_the_destinations_trouble() -> None:
    answers: Iterator[Answer | NoAnswer] = iter([OK, NoAnswer("the connection broke")])
    made = example(lambda envelope, settings: post("a"), lambda request: next(answers))
    assert deliver(made, envelopes(3)) == [
        Delivered(),
        Deferred("the connection broke", scope="destination"),
        Deferred("behind an earlier message", 0.0),
    ]


def test_where_order_does_not_matter_no_message_waits_for_another() -> None:
    made = example(
        lambda envelope, settings: post(envelope.head.message_id),
        lambda request: Answer(500) if request.url.endswith("m0") else OK,
    )
    made.order = "none"
    assert deliver(made, envelopes(3)) == [Deferred("answered 500"), Delivered(), Delivered()]


def said(made: Any, body: bytes = b"{}") -> Exchange:
    batch = [msgspec.structs.replace(one, body=body) for one in envelopes(1)]
    (outcome,) = made.deliver(batch, time.monotonic() + 30)
    made.close()
    assert outcome.exchange is not None
    return cast(Exchange, outcome.exchange)


def test_what_was_said_and_answered_is_kept_without_its_secrets() -> None:
    def build(envelope: Envelope, settings: Settings) -> Built:
        headers = {"Authorization": "Basic whatever", "X-Token": settings.token.reveal(), "X-Kind": "track"}
        return Request(
            "POST", f"https://api.example.com/planted?key={settings.token.reveal()}", headers, b"a planted b"
        )

    exchange = said(example(build, lambda request: Answer(400, body=b"no planted here")))
    lines = exchange.request.split("\n")
    assert lines[0] == "POST https://api.example.com/***?key=***"
    assert {"Authorization: ***", "X-Token: ***", "X-Kind: track"} < set(lines)
    assert lines[-1] == "a *** b"
    assert exchange.answer == "400\nno *** here"


def test_of_a_long_exchange_the_beginning_is_kept_and_no_part_of_a_secret() -> None:
    for shift in range(60):
        body = b"x" * (MOST_SAID - 60 + shift) + b"planted" * 20
        exchange = said(
            example(lambda one, settings: post("a", one.body), lambda request: Answer(400, body=request.body)), body
        )
        assert len(exchange.request.encode()) <= MOST_SAID
        assert len(exchange.answer.encode()) <= MOST_SAID
        assert "plan" not in exchange.request + exchange.answer


def test_when_no_answer_comes_what_was_said_is_kept() -> None:
    exchange = said(example(lambda one, settings: post("a"), lambda request: NoAnswer("no connection")))
    assert exchange.request.startswith("POST https://api.example.com/a\n")
    assert exchange.answer == ""


def test_of_five_hundred_that_travel_together_a_bad_one_is_found_in_twenty_requests() -> None:
    class Together(Example):
        def packing(self, settings: Settings) -> Packing:
            return Packing(500)

    made = Together(
        "example",
        Settings(),
        transport=ScriptedTransport(lambda request: Answer(400) if b"m321" in request.body else OK),
    )
    made.building = lambda one, settings: Request(
        "POST", "https://example.com/", body=b'"%s"' % one.head.message_id.encode(), batch="b"
    )
    outcomes = deliver(made, envelopes(500))
    assert [number for number, outcome in enumerate(outcomes) if outcome != Delivered()] == [321]
    assert isinstance(outcomes[321], Rejected)
    assert len(cast(ScriptedTransport, made._given).sent) <= 20


@pytest.mark.parametrize(
    "request_",
    [
        Request("POST", "https://example.com/", {"X-Name": "a\r\nX-Injected: b"}),
        Request("POST", "https://example.com/", {"X-Name": "a\nb"}),
        Request("POST", "https://example.com/", {"X-Name": "a\x00b"}),
        Request("POST", "https://example.com/", {"X-Name": "ü"}),
        Request("POST", "https://example.com/", {"X Name": "a"}),
        Request("POST", "https://example.com/", {"X-Name:": "a"}),
        Request("POST", "https://example.com/", {"": "a"}),
        Request("PO ST", "https://example.com/"),
        Request("POST\r\n", "https://example.com/"),
        Request("POST", "https://example.com/a b"),
        Request("POST", "https://example.com/\r\nHost: x"),
        Request("POST", "file:///etc/passwd"),
        Request("POST", "https://"),
        Request("POST", "no url"),
    ],
)
def test_a_request_that_http_does_not_allow_is_never_sent(request_: Request) -> None:
    made = example(lambda envelope, settings: request_)
    (outcome,) = deliver(made, envelopes(1))
    assert isinstance(outcome, Rejected)
    assert made._given.sent == []
    assert flaw(request_) == outcome.reason


def test_a_request_shows_neither_path_nor_headers_nor_body() -> None:
    request = Request("POST", "https://example.com/planted?key=planted", {"Authorization": "planted"}, b"planted")
    assert repr(request) == "Request(POST https://example.com, 7 bytes)"


def test_of_two_spellings_of_a_header_one_is_sent() -> None:
    assert merged({"Content-Type": "a", "X": "1"}, {"content-type": "b"}) == {"X": "1", "content-type": "b"}


def parts_of(*users: str, batch: str = "b") -> list[Part]:
    return [Part(number, user, Request("POST", "u", batch=batch)) for number, user in enumerate(users)]


def test_alone_each_user_has_a_lane() -> None:
    found = lanes(parts_of("a", "b", "a", "c"), Packing(), 2)
    assert [[part.message for part in lane] for lane in found] == [[0, 2], [1], [3]]


def test_together_there_are_as_many_lanes_as_are_filled() -> None:
    found = lanes(parts_of(*(f"u{number}" for number in range(30))), Packing(requests=10), 16)
    assert [len(lane) for lane in found] == [10, 10, 10]


def test_a_user_is_never_in_two_lanes() -> None:
    users = [f"u{number % 7}" for number in range(100)]
    found = lanes(parts_of(*users), Packing(requests=5), 4)
    homes = [{part.user for part in lane} for lane in found]
    assert sum(map(len, homes)) == 7
    for lane in found:
        for user in {part.user for part in lane}:
            numbers = [part.message for part in lane if part.user == user]
            assert numbers == sorted(numbers)


def test_different_batches_do_not_travel_together() -> None:
    lane = [*parts_of("a", "a", batch="x"), *parts_of("a", batch="y"), *parts_of("a", "a", batch="")]
    assert [len(pack) for pack in packs(lane, Packing(requests=10))] == [2, 1, 1, 1]


def test_a_pack_has_room_for_one_that_is_too_large_alone() -> None:
    lane = [Part(n, "a", Request("POST", "u", body=b"x" * size, batch="b")) for n, size in enumerate((5, 50, 5, 5))]
    assert [len(pack) for pack in packs(lane, Packing(requests=10, body_bytes=20))] == [1, 1, 2]


def test_settings_of_http_destinations_are_frozen() -> None:
    with pytest.raises(AttributeError):
        Settings().timeout = 1  # type: ignore[misc, assignment]  # what is tested
