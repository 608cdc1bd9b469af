"""The webhook carries messages unchanged, signed, in each user's order, and never longer than it has time."""

import hashlib
import hmac
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from destinations.builtin.webhook import Webhook, WebhookSettings, header_text, signatures
from destinations.errors import SettingsError
from destinations.outcome import Deferred, Delivered, Rejected
from destinations.registry import make
from tests.destinations.messages import bare, envelope, envelopes
from tests.receiver import Act, Answer, Hang, Received, Receiver, Reset

PLACE = "turnout.toml [destinations.hook]"
Hook = Callable[..., Webhook]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def hook(receiver: Receiver) -> Iterator[Hook]:
    made: list[Webhook] = []

    def build(**table: Any) -> Webhook:
        webhook = make("hook", "webhook", {"url": f"{receiver.url}/in", "allow_private": True} | table, place=PLACE)
        assert isinstance(webhook, Webhook)
        made.append(webhook)
        return webhook

    yield build
    for webhook in made:
        webhook.close()


def soon(seconds: float = 30) -> float:
    return time.monotonic() + seconds


def sent_numbers(receiver: Receiver) -> list[int]:
    return [request.json()["properties"]["number"] for request in receiver.requests]


def test_a_message_arrives_byte_by_byte(hook: Hook, receiver: Receiver) -> None:
    message = envelope(1, attempt=3, event="Ünïcödé")
    assert hook(headers={"Authorization": "Bearer t"}, method="PUT").deliver([message], soon()) == [Delivered()]
    (request,) = receiver.requests
    assert (request.method, request.path, request.body) == ("PUT", "/in", message.body)
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("Turnout/")
    assert request.headers["x-message-id"] == "m1"
    assert request.headers["x-attempt"] == "3"
    assert request.headers["authorization"] == "Bearer t"


def test_both_signatures_cover_the_exact_bytes(hook: Hook, receiver: Receiver) -> None:
    webhook = hook(secret="s3cret", batch_size=10)
    assert webhook.deliver(envelopes(3), soon()) == [Delivered()] * 3
    (request,) = receiver.requests
    moment, _, dated = request.headers["x-turnout-signature"].partition(",v1=")
    signed = moment.removeprefix("t=").encode() + b"." + request.body
    assert request.headers["x-signature"] == hmac.new(b"s3cret", request.body, hashlib.sha1).hexdigest()
    assert dated == hmac.new(b"s3cret", signed, hashlib.sha256).hexdigest()


def test_a_signature_is_the_known_one() -> None:
    assert signatures(b"key", b"The quick brown fox jumps over the lazy dog", 1_700_000_000) == {
        "X-Signature": "de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9",
        "X-Turnout-Signature": "t=1700000000,v1="
        + hmac.new(b"key", b"1700000000.The quick brown fox jumps over the lazy dog", hashlib.sha256).hexdigest(),
    }


def test_without_a_secret_nothing_is_signed(hook: Hook, receiver: Receiver) -> None:
    hook().deliver(envelopes(1), soon())
    assert not [name for name in receiver.requests[0].headers if "signature" in name]


def test_messages_travel_together_when_asked_to(hook: Hook, receiver: Receiver) -> None:
    batch = envelopes(25)
    assert hook(batch_size=10).deliver(batch, soon()) == [Delivered()] * 25
    assert [len(request.json()) for request in receiver.requests] == [10, 10, 5]
    assert [one["messageId"] for request in receiver.requests for one in request.json()] == [f"m{n}" for n in range(25)]


def test_a_batch_stays_below_its_size(hook: Hook, receiver: Receiver) -> None:
    batch = envelopes(40, properties={"pad": "x" * 30_000})
    assert hook(batch_size=1_000).deliver(batch, soon()) == [Delivered()] * 40
    assert max(len(request.body) for request in receiver.requests) <= 500_000


def test_one_bad_message_of_a_batch_is_refused_alone(hook: Hook, receiver: Receiver) -> None:
    def refuse(request: Received) -> Act:
        return Answer(400, body=b"no 7") if any(one["messageId"] == "m7" for one in request.json()) else Answer()

    receiver.always(refuse)
    outcomes = bare(hook(batch_size=20).deliver(envelopes(20), soon()))
    assert outcomes == [Delivered()] * 7 + [Rejected("answered 400: no 7", "400")] + [Delivered()] * 12


def test_messages_of_one_user_go_one_after_the_other(hook: Hook, receiver: Receiver) -> None:
    assert hook().deliver(envelopes(50), soon()) == [Delivered()] * 50
    assert sent_numbers(receiver) == list(range(50))


def test_a_users_later_messages_wait_behind_one_that_is_deferred(hook: Hook, receiver: Receiver) -> None:
    def busy(request: Received) -> Act:
        return Answer(500) if request.headers["x-message-id"] == "m2" else Answer()

    receiver.always(busy)
    batch = [envelope(number, user="ab"[number % 2]) for number in range(8)]
    outcomes = bare(hook().deliver(batch, soon()))
    behind = Deferred("behind an earlier message", 0.0)
    failed = Deferred("answered 500: {}")
    assert outcomes[0::2] == [Delivered(), failed, behind, behind]
    assert outcomes[1::2] == [Delivered()] * 4


def test_a_refused_message_does_not_hold_its_user(hook: Hook, receiver: Receiver) -> None:
    receiver.then(Answer(422, body=b"odd"))
    outcomes = bare(hook().deliver(envelopes(2), soon()))
    assert outcomes == [Rejected("answered 422: odd", "422"), Delivered()]


def test_other_users_go_side_by_side(hook: Hook, receiver: Receiver) -> None:
    """All eight must be there at once before any is answered."""

    def together(request: Received) -> Act:
        receiver.wait_for(8)
        return Answer()

    receiver.always(together)
    batch = [envelope(number, user=f"u{number}") for number in range(8)]
    assert hook(concurrency=8).deliver(batch, soon()) == [Delivered()] * 8


@pytest.mark.parametrize(
    ("act", "outcome"),
    [
        (Answer(204, body=b""), Delivered()),
        (Answer(302, {"Location": "/other"}), Rejected("answered 302: redirects are not followed", "302")),
        (Answer(404, body=b""), Rejected("answered 404", "404")),
        (Answer(401), Deferred("answered 401: the credentials are not accepted", scope="settings")),
        (Answer(403), Deferred("answered 403: the credentials are not accepted", scope="settings")),
        (Answer(429, {"Retry-After": "9"}, b""), Deferred("answered 429", 9.0, "destination")),
        (Answer(503, {"Retry-After": "soon"}, b"<b>\r\n\x1b[31m"), Deferred("answered 503: <b> [31m")),
        (Answer(501, body=b""), Rejected("answered 501", "501")),
        (Reset(), Deferred("the connection broke: Connection reset by peer", scope="destination")),
    ],
)
def test_an_answer_means_what_its_status_says(
    hook: Hook, receiver: Receiver, act: Act, outcome: Delivered | Rejected | Deferred
) -> None:
    receiver.then(act)
    assert bare(hook().deliver(envelopes(1), soon())) == [outcome]
    assert len(receiver.requests) == 1


def test_a_destination_that_hangs_costs_one_time_out_and_not_one_for_each_message(
    hook: Hook, receiver: Receiver
) -> None:
    receiver.always(Hang())
    batch = [envelope(number, user=f"u{number}") for number in range(500)]
    outcomes = bare(hook(timeout="300ms", concurrency=4).deliver(batch, soon()))
    tried = [outcome for outcome in outcomes if outcome == Deferred("no answer within 0.3 s", scope="destination")]
    untried = [outcome for outcome in outcomes if outcome == Deferred("not tried: no answer within 0.3 s", 0.0)]
    assert len(tried) == len(receiver.requests) <= 8
    assert len(tried) + len(untried) == 500


def test_a_destination_that_is_busy_is_left_alone(hook: Hook, receiver: Receiver) -> None:
    receiver.always(Answer(429, {"Retry-After": "9"}, b""))
    batch = [envelope(number, user=f"u{number}") for number in range(200)]
    outcomes = bare(hook(concurrency=2).deliver(batch, soon()))
    assert len(receiver.requests) <= 4
    assert set(outcomes) == {Deferred("answered 429", 9.0, "destination"), Deferred("not tried: answered 429", 0.0)}


def test_a_destination_that_only_fails_is_left_alone_after_a_while(hook: Hook, receiver: Receiver) -> None:
    receiver.always(Answer(500, body=b""))
    batch = [envelope(number, user=f"u{number}") for number in range(200)]
    outcomes = bare(hook(concurrency=2).deliver(batch, soon()))
    assert len(receiver.requests) <= 6
    assert set(outcomes) == {Deferred("answered 500"), Deferred("not tried: answered 500", 0.0)}


def test_nothing_begins_when_the_time_is_over(hook: Hook, receiver: Receiver) -> None:
    batch = [envelope(number, user=f"u{number}") for number in range(3)]
    outcomes = bare(hook().deliver(batch, time.monotonic()))
    assert outcomes == [Deferred("no time left", 0.0)] * 3
    assert receiver.requests == []


def test_a_delivery_ends_at_its_deadline(hook: Hook, receiver: Receiver) -> None:
    receiver.always(Hang())
    begun = time.monotonic()
    (first, *others) = hook(timeout=60).deliver(envelopes(3), begun + 0.4)
    assert time.monotonic() - begun < 10
    assert isinstance(first, Deferred)
    assert first.after is None
    assert others == [Deferred("behind an earlier message", 0.0)] * 2


def test_after_a_failure_the_next_batch_goes_through(hook: Hook, receiver: Receiver) -> None:
    webhook = hook()
    receiver.then(Reset())
    assert isinstance(webhook.deliver(envelopes(1), soon())[0], Deferred)
    assert webhook.deliver(envelopes(1), soon()) == [Delivered()]


def test_what_the_receiver_echoes_shows_no_secret(hook: Hook, receiver: Receiver) -> None:
    def echo(request: Received) -> Act:
        return Answer(400, body=request.headers["authorization"].encode())

    receiver.always(echo)
    (outcome,) = bare(hook(headers={"Authorization": "Bearer planted"}).deliver(envelopes(1), soon()))
    assert outcome == Rejected("answered 400: ***", "400")


def test_checking_opens_a_connection_and_sends_nothing(hook: Hook, receiver: Receiver) -> None:
    assert hook().check() is None
    assert receiver.requests == []
    with Receiver() as gone:
        url = gone.url
    assert hook(url=url).check() == "url: no connection: Connection refused"


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({}, "url: is missing: expected an http or https URL"),
        ({"url": "ftp://example.com"}, "url: must be an http or https URL"),
        ({"url": "https://user:planted@example.com"}, "url: must not hold a user name or password"),
        ({"url": "https://example.com/\nX: y"}, "url: must be an http or https URL"),
        ({"url": "http://example.com"}, "url must be https: set allow_http = true to allow plain http"),
        ({"url": "https://127.0.0.1/"}, "url points to an address that is not public (loopback)"),
        ({"url": "https://localhost/"}, "url points to an address that is not public (loopback)"),
        ({"url": "https://[fd00::1]/"}, "url points to an address that is not public (private)"),
        ({"url": "https://example.com", "headers": {"X\r\nY": "1"}}, "is not a header name"),
        ({"url": "https://example.com", "headers": {"Host": "x"}}, "Host: is set by Turnout itself"),
        ({"url": "https://example.com", "headers": {"X-Signature": "x"}}, "X-Signature is set by Turnout itself"),
        ({"url": "https://example.com", "headers": {"X": "planted\r\nY: z"}}, "X: must be text of printable ASCII"),
        ({"url": "https://example.com", "headers": {"X": "pläntéd"}}, "X: must be text of printable ASCII"),
        ({"url": "https://example.com", "method": "GET"}, 'method: must be one of "POST", "PUT", "PATCH"'),
        ({"url": "https://example.com", "batch_size": 0}, "batch_size: must be a whole number >= 1"),
        ({"url": "https://example.com", "secret": ""}, "secret: is empty"),
    ],
)
def test_wrong_settings_are_told(table: dict[str, Any], problem: str) -> None:
    with pytest.raises(SettingsError) as caught:
        make("hook", "webhook", table, place=PLACE)
    (told,) = map(str, caught.value.problems)
    assert problem in told
    assert told.startswith(PLACE.rstrip("]"))
    assert "planted" not in told


def test_plain_http_to_a_public_address_has_its_own_switch() -> None:
    webhook = make("hook", "webhook", {"url": "http://example.com", "allow_http": True}, place=PLACE)
    assert isinstance(webhook, Webhook)


@pytest.mark.parametrize(
    ("message_id", "text"),
    [("a-1_B.c", "a-1_B.c"), ("é\r\nX: y", "%C3%A9%0D%0AX:%20y"), ("100%", "100%25"), ("\x00", "%00")],
)
def test_any_message_id_fits_into_a_header(message_id: str, text: str) -> None:
    assert header_text(message_id) == text


def test_the_settings_are_of_the_webhook() -> None:
    assert Webhook.shape is WebhookSettings
