"""Who may ask: nobody without a token of the API, and nobody too often."""

import base64

import pytest

from collector.api.door import Door
from collector.api.settings import ApiSettings
from collector.meters import GUESSES
from destinations.settings import Secret
from tests.collector.client import NOON, Answered, Client, basic, edge
from tests.collector.profiles.people import BASE, TOKEN, Given, ask

PATH = "users/profiles/user_id:ann/traits"


def with_header(client: Client, authorization: str) -> Answered:
    return client.get(f"{BASE}/{PATH}", {"Authorization": authorization} if authorization else {})


def refusal(answered: Answered) -> tuple[int, str]:
    return answered.status, answered.json()["error"]["code"]


@pytest.fixture
def ann(given: Given) -> None:
    given.say({"type": "identify", "userId": "ann", "traits": {"a": 1}})


@pytest.mark.usefixtures("ann")
@pytest.mark.parametrize("scheme", ["Basic", "basic", "Bearer", "without a colon", "with a password"])
def test_a_token_opens_by_basic_and_bearer_authentication(api: Client, scheme: str) -> None:
    said = {
        "Bearer": f"Bearer {TOKEN}",
        "without a colon": "Basic " + base64.b64encode(TOKEN.encode()).decode(),
        "with a password": basic(TOKEN, "x:y")["Authorization"],
    }.get(scheme, f"{scheme} " + base64.b64encode(f"{TOKEN}:".encode()).decode())
    answered = with_header(api, said)
    assert (answered.status, answered.json()["traits"]) == (200, {"a": 1})
    assert answered.headers["request-id"]
    assert answered.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("said", ["", "Basic", "Basic !", "Basic Og==", "Bearer", "Digest x", "Basic /w=="])
def test_without_a_token_it_is_told_how_to_send_one(api: Client, said: str) -> None:
    answered = with_header(api, said)
    assert refusal(answered) == (401, "authentication_error")
    assert "carries no token" in answered.json()["error"]["message"]
    assert answered.headers["www-authenticate"].startswith("Basic")
    assert answered.headers["request-id"]


@pytest.mark.parametrize("key", ["wk_web", "id:secret", "wk_shop_0123456789abcdef", TOKEN[:-1], f"{TOKEN}x"])
def test_a_write_key_opens_nothing(api: Client, key: str) -> None:
    answered = with_header(api, basic(key)["Authorization"])
    assert refusal(answered) == (401, "authentication_error")
    assert "write key" in answered.json()["error"]["message"]
    assert key not in answered.body.decode()


def test_where_no_tokens_are_configured_nobody_may_ask() -> None:
    from tests.collector.client import MemoryLog

    answered = ask(edge(MemoryLog()), PATH)
    assert refusal(answered) == (401, "authentication_error")
    assert answered.json()["error"]["message"] == "nobody may ask here: the configuration has no [api] tokens"


@pytest.mark.usefixtures("ann")
def test_tokens_that_are_guessed_are_limited_as_write_keys_are(api: Client) -> None:
    for number in range(GUESSES):
        assert ask(api, PATH, token=f"guess-{number}").status == 401
    answered = ask(api, PATH, token="guess")
    assert refusal(answered) == (429, "rate_limit_error")
    assert answered.headers["retry-after"] == "60"
    posted = api.request("POST", "/v1/t", b'{"userId":"u1","event":"E"}', basic("guess"))
    assert posted is not None
    assert posted.status == 429
    assert ask(api, PATH).status == 200, "a good token goes on"


def test_more_requests_than_the_rate_are_put_off(given: Given) -> None:
    client = given.api(rate=2)
    found = [ask(client, PATH) for _ in range(3)]
    assert [one.status for one in found] == [404, 404, 429]
    assert found[2].json()["error"]["code"] == "rate_limit_error"
    assert (found[2].headers["retry-after"], found[2].headers["x-ratelimit-reset"]) == ("1", "1")


def test_tokens_change_while_it_runs() -> None:
    door = Door(ApiSettings(tokens=(Secret("a" * 16),)), lambda: NOON, lambda: "r")
    door.renew(ApiSettings(tokens=(Secret("b" * 16),)))
    assert door._tokens == {"b" * 16}


def test_scripts_of_browsers_have_no_business_here(api: Client) -> None:
    answered = api.get(f"{BASE}/{PATH}", {**basic(TOKEN), "Origin": "https://shop.example"})
    assert [name for name in answered.headers if name.startswith("access-control")] == []
    asked = api.get(f"{BASE}/{PATH}", {"Origin": "https://shop.example"}, method="OPTIONS")
    assert asked.status == 405
    assert [name for name in asked.headers if name.startswith("access-control")] == []


def test_nothing_is_changed_here(api: Client) -> None:
    answered = api.request("POST", f"{BASE}/{PATH}", b"{}", basic(TOKEN))
    assert answered is not None
    assert answered.status == 405
