"""What comes back over the network is bounded in time and size, and told in words."""

import ssl
import time
from collections.abc import Iterator

import pytest

from destinations.http.connection import IDLE_SECONDS
from destinations.http.guard import Guard
from destinations.http.request import Answer, NoAnswer, Request
from destinations.http.transport import ANSWER_BYTES, HttpTransport
from tests.receiver import Act, Endless, Hang, Raw, Receiver, Reset
from tests.receiver import Answer as Reply


@pytest.fixture
def transport() -> Iterator[HttpTransport]:
    transport = HttpTransport(Guard(allow_private=True), 4)
    yield transport
    transport.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def test_a_request_arrives_as_it_was_made(transport: HttpTransport, receiver: Receiver) -> None:
    request = Request("PATCH", f"{receiver.url}/a?b=c", {"X-One": "1"}, b'{"x": "\xc3\xa9"}')
    answer = transport.send(request, 5)
    (received,) = receiver.requests
    assert isinstance(answer, Answer)
    assert (received.method, received.path, received.body) == ("PATCH", "/a?b=c", request.body)
    assert received.headers["x-one"] == "1"


def test_connections_are_used_again(transport: HttpTransport, receiver: Receiver) -> None:
    for _ in range(20):
        assert isinstance(transport.send(Request("POST", receiver.url), 5), Answer)
    assert receiver.connections == 1


def test_an_idle_connection_is_not_trusted(transport: HttpTransport, receiver: Receiver) -> None:
    transport.send(Request("POST", receiver.url), 5)
    pool = transport._pools.connection_from_url(receiver.url)
    assert pool.pool is not None
    connection = pool.pool.get_nowait()
    connection._used_at -= IDLE_SECONDS
    pool.pool.put_nowait(connection)
    assert isinstance(transport.send(Request("POST", receiver.url), 5), Answer)
    assert receiver.connections == 2


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (Hang(), "no answer within 0.2 s"),
        (Reset(), "the connection broke: Connection reset by peer"),
        (Raw(b""), "the connection broke: RemoteDisconnected"),
        (Raw(b"garbage\r\n\r\n"), "the connection broke: BadStatusLine"),
        (Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"), "the connection broke: IncompleteRead"),
    ],
)
def test_what_is_no_answer_is_told_in_words(
    transport: HttpTransport, receiver: Receiver, act: Act, reason: str
) -> None:
    receiver.then(act)
    assert transport.send(Request("POST", f"{receiver.url}/secret-path?token=secret"), 0.2) == NoAnswer(reason)
    assert isinstance(transport.send(Request("POST", receiver.url), 5), Answer)


def test_an_answer_without_end_is_cut_short(transport: HttpTransport, receiver: Receiver) -> None:
    receiver.then(Endless())
    answer = transport.send(Request("POST", receiver.url), 5)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.whole, len(answer.body)) == (200, False, ANSWER_BYTES)


def test_a_compressed_answer_is_not_blown_up(transport: HttpTransport, receiver: Receiver) -> None:
    receiver.then(Reply(200, {"Content-Encoding": "gzip"}, b"\x1f\x8b not really"))
    answer = transport.send(Request("POST", receiver.url), 5)
    assert isinstance(answer, Answer)
    assert answer.body == b"\x1f\x8b not really"
    assert receiver.requests[0].headers["accept-encoding"] == "identity"


def test_a_host_that_does_not_exist_is_told(transport: HttpTransport) -> None:
    answer = transport.send(Request("POST", "http://nowhere.invalid/"), 5)
    assert answer == NoAnswer("the host name does not resolve")


def test_a_closed_port_is_told(transport: HttpTransport) -> None:
    with Receiver() as gone:
        url = gone.url
    assert transport.send(Request("POST", url), 5) == NoAnswer("no connection: Connection refused")
    assert transport.reach(url, 5) == "no connection: Connection refused"


def test_a_server_that_speaks_no_tls_is_told(transport: HttpTransport, receiver: Receiver) -> None:
    answer = transport.send(Request("POST", receiver.url.replace("http:", "https:")), 5)
    assert isinstance(answer, NoAnswer)
    assert answer.reason.startswith("TLS failed: ")


def test_trying_a_connection_sends_nothing(transport: HttpTransport, receiver: Receiver) -> None:
    assert transport.reach(receiver.url, 5) is None
    assert receiver.requests == []


def test_waiting_requests_end_when_they_are_cut(transport: HttpTransport, receiver: Receiver) -> None:
    def cut(_: object) -> Act:
        transport.cut()
        return Hang()

    receiver.always(cut)
    begun = time.monotonic()
    assert isinstance(transport.send(Request("POST", receiver.url), 30), NoAnswer)
    assert time.monotonic() - begun < 15


def test_certificates_are_checked(transport: HttpTransport) -> None:
    connection = transport._pools.connection_from_url("https://example.com")._new_conn()
    assert connection.cert_reqs in (None, ssl.CERT_REQUIRED)  # type: ignore[attr-defined]  # of the HTTPS kind
