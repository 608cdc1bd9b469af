"""Scripts of any site may post, and can read every answer."""

import pytest

from tests.collector.client import Answered, Client, MemoryLog, basic

ORIGIN = "https://shop.example"
MESSAGE = b'{"userId":"u1","event":"e"}'


def is_readable(answered: Answered | None) -> bool:
    assert answered is not None
    return (
        answered.headers.get("access-control-allow-origin") == ORIGIN
        and answered.headers.get("access-control-allow-credentials") == "true"
        and answered.headers.get("access-control-expose-headers") == "Retry-After, X-RateLimit-Reset"
        and answered.headers.get("vary") == "Origin"
    )


@pytest.mark.parametrize(
    ("method", "path", "body", "key", "status"),
    [
        ("POST", "/v1/t", MESSAGE, "wk_web", 200),
        ("POST", "/v1/t", b'{"userId":"u1"}', "wk_web", 400),
        ("POST", "/v1/t", b"{", "wk_web", 400),
        ("POST", "/v1/t", MESSAGE, "wk_unknown", 401),
        ("GET", "/v1/t", b"", "wk_web", 405),
        ("POST", "/health/live", b"", "wk_web", 405),
        ("POST", "/nowhere", b"", "wk_web", 404),
        ("GET", "/health/live", b"", "wk_web", 200),
        ("GET", "/health/ready", b"", "wk_web", 200),
        ("GET", "/schemas/track.json", b"", "wk_web", 200),
    ],
)
def test_a_script_can_read_every_answer(
    client: Client, method: str, path: str, body: bytes, key: str, status: int
) -> None:
    answered = client.request(method, path, body, {**basic(key), "Origin": ORIGIN})
    assert answered is not None
    assert answered.status == status
    assert is_readable(answered)


def test_a_script_can_read_that_the_log_is_away(client: Client, log: MemoryLog) -> None:
    from collector.log_port import LogUnavailable

    log.failure = LogUnavailable(7)
    answered = client.post("/v1/t", MESSAGE, {"Origin": ORIGIN})
    assert answered.status == 503
    assert is_readable(answered)


def test_a_script_can_read_that_turnout_failed(client: Client, log: MemoryLog) -> None:
    log.failure = RuntimeError()
    assert is_readable(client.post("/v1/t", MESSAGE, {"Origin": ORIGIN}))


@pytest.mark.parametrize("path", ["/v1/t", "/v1/batch/", "/v1/nowhere", "/health/live", "/schemas/"])
def test_a_preflight_is_granted_on_every_path(client: Client, log: MemoryLog, path: str) -> None:
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-retry-count,x-my-own",
    }
    answered = client.get(path, asked, method="OPTIONS")
    assert (answered.status, answered.body) == (204, b"")
    assert answered.headers == {
        "access-control-allow-origin": ORIGIN,
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "GET, POST, OPTIONS",
        "access-control-allow-headers": "authorization,content-type,x-retry-count,x-my-own",
        "access-control-max-age": "86400",
        "vary": "Origin, Access-Control-Request-Headers",
    }
    assert log.puts == 0


def test_a_preflight_that_names_no_headers_gets_the_usual_ones(client: Client) -> None:
    answered = client.get("/v1/t", {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}, method="OPTIONS")
    assert answered.headers["access-control-allow-headers"].startswith("authorization, content-type, x-write-key")


def test_a_page_without_an_origin_of_its_own_may_post(client: Client) -> None:
    answered = client.post("/v1/t", MESSAGE, {"Origin": "null"})
    assert answered.headers["access-control-allow-origin"] == "null"


def test_who_is_no_script_gets_no_such_headers(client: Client) -> None:
    assert not [name for name in client.post("/v1/t", MESSAGE).headers if name.startswith("access-control")]
