"""What clients are told when the trouble is ours."""

import logging

import pytest

from collector.log_port import LogFull, LogUnavailable
from tests.collector.client import Client, MemoryLog

MESSAGE = b'{"userId":"u1","event":"e"}'
BATCH = b'{"batch":[{"type":"identify","userId":"u1"}]}'


@pytest.mark.parametrize(("path", "body"), [("/v1/track", MESSAGE), ("/v1/batch", BATCH), ("/v1/track", b"{}")])
@pytest.mark.parametrize(
    ("failure", "code", "retry_after"),
    [
        (LogUnavailable(3), "log_unavailable", "3"),
        (LogFull(30), "log_full", "30"),
        (LogUnavailable(0), "log_unavailable", "1"),
        (LogFull(86_400), "log_full", "300"),
    ],
)
def test_a_log_that_takes_nothing_makes_clients_come_back(
    client: Client, log: MemoryLog, path: str, body: bytes, failure: Exception, code: str, retry_after: str
) -> None:
    log.failure = failure
    answered = client.post(path, body)
    told = answered.json()
    assert (answered.status, told["code"], told["success"]) == (503, code, False)
    assert answered.headers["retry-after"] == retry_after
    assert told["message"] == told["error"]


def test_what_cannot_be_quarantined_is_not_refused_either(client: Client, log: MemoryLog) -> None:
    log.failure = LogUnavailable(3)
    assert client.post("/v1/track", b"{").status == 503
    assert client.post("/v1/batch", {"batch": [7]}).status == 503


def test_an_unexpected_error_is_told_in_the_usual_shape_and_logged_without_its_words(
    client: Client, log: MemoryLog, caplog: pytest.LogCaptureFixture
) -> None:
    log.failure = RuntimeError("redis://:password@host wk_web")
    with caplog.at_level(logging.DEBUG):
        answered = client.post("/v1/track", MESSAGE)
    assert answered.status == 500
    assert answered.json()["code"] == "internal_error"
    assert "password" not in answered.body.decode() + caplog.text
    assert "wk_web" not in caplog.text
    assert "unexpected RuntimeError at " in caplog.text
    assert "put" in caplog.text
