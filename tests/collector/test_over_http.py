"""The edge over real connections: chunks, compression, keep-alive, refusals in the middle of a body."""

import http.client
import socket
from collections.abc import Iterator

import msgspec
import pytest

from schemas.limits import Limits
from tests.collector.client import MemoryLog, basic, edge, gzipped
from tests.collector.served import served

MESSAGE = b'{"userId":"u1","event":"e"}'
BATCH = b'{"batch":[' + b",".join([b'{"type":"track","userId":"u1","event":"e"}'] * 2_000) + b"]}"
LIMITS = Limits(body_bytes=200_000)
KEY = basic("wk_web")


@pytest.fixture
def connection(log: MemoryLog) -> Iterator[http.client.HTTPConnection]:
    with served(edge(log, limits=LIMITS).app) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        yield connection
        connection.close()


def answer(connection: http.client.HTTPConnection) -> tuple[int, object]:
    response = connection.getresponse()
    body = response.read()
    return response.status, msgspec.json.decode(body) if body else None


def test_many_requests_travel_on_one_connection(connection: http.client.HTTPConnection, log: MemoryLog) -> None:
    connection.connect()
    first = connection.sock
    for _ in range(20):
        connection.request("POST", "/v1/track", MESSAGE, KEY)
        assert answer(connection) == (200, {"success": True})
    assert connection.sock is first
    assert len(log.items) == 20


def test_a_chunked_and_compressed_batch_is_taken(connection: http.client.HTTPConnection, log: MemoryLog) -> None:
    body = gzipped(BATCH)
    chunks = [body[start : start + 50] for start in range(0, len(body), 50)]
    headers = {**KEY, "Content-Encoding": "gzip", "Content-Type": "text/plain"}
    connection.request("POST", "/v1/b", iter(chunks), headers, encode_chunked=True)
    assert answer(connection) == (200, {"success": True})
    assert len(log.items) == 2_000


def test_a_body_without_a_length_that_grows_too_large_is_refused_and_the_connection_lives(
    connection: http.client.HTTPConnection, log: MemoryLog
) -> None:
    connection.request("POST", "/v1/b", iter([b" " * 50_000] * 20), KEY, encode_chunked=True)
    status, told = answer(connection)
    assert status == 400
    assert isinstance(told, dict)
    assert told["code"] == "payload_too_large"
    connection.request("POST", "/v1/track", MESSAGE, KEY)
    assert answer(connection) == (200, {"success": True})


def test_a_body_that_is_declared_too_large_is_answered_before_it_is_sent(
    connection: http.client.HTTPConnection, log: MemoryLog
) -> None:
    connection.putrequest("POST", "/v1/b")
    for name, value in {**KEY, "Content-Length": "200001"}.items():
        connection.putheader(name, value)
    connection.endheaders()
    status, told = answer(connection)
    assert status == 400
    assert isinstance(told, dict)
    assert told["code"] == "payload_too_large"


def test_a_client_that_hangs_up_makes_no_noise(
    connection: http.client.HTTPConnection, log: MemoryLog, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_connection((connection.host, connection.port)) as client:
        client.sendall(b"POST /v1/track HTTP/1.1\r\nHost: x\r\nX-Write-Key: wk_web\r\nContent-Length: 99\r\n\r\n{")
    connection.request("POST", "/v1/track", MESSAGE, KEY)
    assert answer(connection) == (200, {"success": True})
    assert caplog.text == ""


def test_head_has_no_body(connection: http.client.HTTPConnection) -> None:
    for path, status in (("/health/live", 200), ("/schemas/track.json", 200), ("/v1/track", 405), ("/nowhere", 404)):
        connection.request("HEAD", path)
        assert answer(connection) == (status, None)


def test_a_preflight_has_no_body(connection: http.client.HTTPConnection) -> None:
    connection.request("OPTIONS", "/v1/t", headers={"Origin": "https://a", "Access-Control-Request-Method": "POST"})
    response = connection.getresponse()
    assert (response.status, response.read()) == (204, b"")
    assert response.headers["access-control-allow-origin"] == "https://a"


def test_a_wrong_address_gets_a_hint(connection: http.client.HTTPConnection) -> None:
    connection.request("POST", "/V1/Batch", MESSAGE, KEY)
    status, told = answer(connection)
    assert status == 404
    assert isinstance(told, dict)
    assert told["message"] == "there is nothing here; did you mean /v1/batch?"
