"""A browser or an app that asks for its settings learns where to send, and what it needs to go on."""

import pytest

from collector.app import create_app
from collector.browser.address import outer_url
from collector.config import config_of
from collector.policy import Browser, Policy
from collector.request import Request
from collector.visitor import NO_PROXIES
from destinations.errors import SettingsError
from destinations.values import Duration
from schemas.limits import Limits
from tests.collector.client import KEYS, NOON, Client, MemoryLog, basic

PATH = "/v1/projects/wk_web/settings"
HOST = {"Host": "events.example:8443", "Origin": "https://shop.example"}


def client_with(policies: dict[str, Policy], public_url: str | None = None) -> Client:
    app = create_app(
        {**KEYS, "odd": ["a/b"]},
        MemoryLog(),
        now=lambda: NOON,
        new_id=lambda: "id",
        limits=Limits(),
        policies=policies,
        public_url=public_url,
    )
    return Client(app)


@pytest.fixture
def client() -> Client:
    return client_with({})


def test_messages_go_where_the_settings_came_from_and_nowhere_else(client: Client) -> None:
    answered = client.get(PATH, HOST)
    assert answered.status == 200
    assert answered.json() == {
        "integrations": {"Segment.io": {"apiKey": "wk_web", "apiHost": "events.example:8443/v1"}},
        "metrics": {"sampleRate": 0, "host": "events.example:8443/v1"},
    }
    assert answered.headers["access-control-allow-origin"] == "https://shop.example"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/projects/wk_web/settings/",
        "/projects/wk_web/settings",
        "/v1/v1/projects/wk_web/settings",
        "/v1/projects/projects/wk_web/settings",
    ],
)
def test_a_host_given_with_too_much_of_the_path_does_as_well(client: Client, path: str) -> None:
    assert client.get(path, HOST).json() == client.get(PATH, HOST).json()


@pytest.mark.parametrize("path", ["/v1/projects", "/v1/projects/"])
def test_the_key_may_come_beside_the_path(client: Client, path: str) -> None:
    assert client.get(path, {**HOST, **basic("wk_web")}).json() == client.get(PATH, HOST).json()
    assert client.get(path, {**HOST, "X-Write-Key": "wk_web"}).json() == client.get(PATH, HOST).json()
    assert (client.get(path, HOST).status, client.get(path, HOST).json()["code"]) == (404, "missing_write_key")


@pytest.mark.parametrize("key", ["id:secret", "a/b"])
def test_a_key_of_many_signs_is_found(client: Client, key: str) -> None:
    answered = client.get(f"/v1/projects/{key}/settings", HOST)
    assert answered.json()["integrations"]["Segment.io"]["apiKey"] == key


def test_an_unknown_key_is_told_to_scripts_too(client: Client) -> None:
    answered = client.get("/v1/projects/wk_nobody/settings", HOST)
    assert (answered.status, answered.json()["code"]) == (404, "unknown_write_key")
    assert answered.headers["access-control-allow-origin"] == "https://shop.example"
    assert "wk_nobody" not in answered.body.decode()


def test_settings_may_be_kept_for_minutes_and_asked_after(client: Client) -> None:
    answered = client.get(PATH, HOST)
    assert answered.headers["cache-control"] == "public, max-age=300"
    again = client.get(PATH, {**HOST, "If-None-Match": answered.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    head = client.get(PATH, HOST, method="HEAD")
    assert (head.status, head.headers) == (200, answered.headers)


def test_a_source_may_have_its_pages_send_several_at_once(client: Client) -> None:
    browser = Browser(delivery="batching", batch_size=30, batch_wait=Duration(2.5))
    told = client_with({"web": Policy(browser=browser)}).get(PATH, HOST).json()["integrations"]["Segment.io"]
    assert told["deliveryStrategy"] == {"strategy": "batching", "config": {"size": 30, "timeout": 2500}}


def test_the_public_address_goes_before_what_the_request_tells() -> None:
    client = client_with({}, "http://example.com/collect/")
    assert client.get(PATH, HOST).json()["integrations"]["Segment.io"] == {
        "apiKey": "wk_web",
        "apiHost": "example.com/collect/v1",
        "protocol": "http",
    }


@pytest.mark.parametrize("headers", [{}, {"Host": 'x", "y'}, {"Host": "a b"}, {"Host": "x/y"}])
def test_without_a_usable_host_there_are_no_settings_that_lead_astray(client: Client, headers: dict[str, str]) -> None:
    answered = client.get(PATH, headers)
    assert (answered.status, answered.json()["code"]) == (400, "bad_host")


@pytest.mark.parametrize(
    ("scheme", "headers", "expected"),
    [
        ("http", {"host": "localhost:8080"}, "http://localhost:8080"),
        ("http", {"host": "127.0.0.1:8080", "origin": "https://localhost:1"}, "http://127.0.0.1:8080"),
        ("http", {"host": "[::1]:8080", "sec-fetch-site": "cross-site"}, "http://[::1]:8080"),
        ("http", {"host": "events.example"}, "http://events.example"),
        ("http", {"host": "events.example", "origin": "http://shop.example"}, "http://events.example"),
        ("http", {"host": "events.example", "origin": "https://shop.example"}, "https://events.example"),
        ("http", {"host": "events.example", "sec-fetch-site": "same-origin"}, "https://events.example"),
        ("https", {"host": "127.0.0.1:8443"}, "https://127.0.0.1:8443"),
        ("https", {"host": "[2001:db8::1]:8443"}, "https://[2001:db8::1]:8443"),
    ],
)
def test_the_scheme_is_the_one_that_the_browser_used(scheme: str, headers: dict[str, str], expected: str) -> None:
    pairs = {name.encode(): value.encode() for name, value in headers.items()}
    assert outer_url(Request("GET", PATH, b"", b"", pairs, "192.0.2.1", scheme), NO_PROXIES) == expected


def test_a_reload_changes_the_settings(client: Client) -> None:
    app = client.app
    app.renew({"web": ["wk_new"]}, Limits(), {}, public_url="https://other.example")  # type: ignore[attr-defined]
    assert client.get(PATH, HOST).status == 404
    told = client.get("/v1/projects/wk_new/settings", HOST).json()
    assert told["integrations"]["Segment.io"]["apiHost"] == "other.example/v1"


@pytest.mark.parametrize(
    "url", ["events.example", "ftp://x", "https://x/v1", "https://x/v1/", "https://x?y", "https://"]
)
def test_a_public_address_that_would_lead_nowhere_is_a_mistake(url: str) -> None:
    text = f'[collector]\npublic_url = "{url}"\n[sources.web]\nwrite_keys = ["k"]\n'
    with pytest.raises(SettingsError, match=r"\[collector\] public_url: must be an address such as"):
        config_of(text, "turnout.toml", {})


def test_what_a_source_says_of_browsers_is_in_its_policy() -> None:
    text = '[sources.web]\nwrite_keys = ["k"]\nbrowser = { delivery = "batching", batch_wait = "2s" }\n'
    assert config_of(text, None, {}).policies["web"].browser == Browser(delivery="batching", batch_wait=Duration(2))
