"""Who names keys that are none is counted by address, in little memory and with nothing written."""

import pytest

from collector.errors import TooMany, Unauthorized, UnknownKey
from collector.meters import GUESSES, MOST_ADDRESSES, Guesses
from tests.collector.client import NOON, Answered, Client, MemoryLog, basic, edge

TRACK = b'{"userId":"u1","event":"E"}'
UNKNOWN = UnknownKey("unknown_write_key", "the write key belongs to no source")


def guess(client: Client, key: str, peer: str = "192.0.2.1", path: str = "/v1/t", body: bytes = TRACK) -> Answered:
    answered = client.request("POST", path, body, basic(key) if key else {}, peer=peer)
    assert answered is not None
    return answered


def guess_on(client: Client, peer: str = "192.0.2.1") -> None:
    for number in range(GUESSES):
        assert guess(client, f"guess{number}", peer).status == 401


def test_past_a_hundred_in_a_minute_the_address_is_put_off(log: MemoryLog) -> None:
    clock = [NOON]
    client = edge(log, now=lambda: clock[0])
    guess_on(client)
    clock[0] += 18
    answered = guess(client, "guess")
    assert (answered.status, answered.json()["code"]) == (429, "too_many_unknown_keys")
    assert answered.headers["retry-after"] == "42"
    assert "guess" not in answered.body.decode().replace("guesses", "")
    clock[0] += 43
    assert guess(client, "guess").status == 401
    assert log.puts == 0


def test_good_keys_of_that_address_go_on(client: Client, log: MemoryLog) -> None:
    guess_on(client)
    assert guess(client, "guess").status == 429
    assert guess(client, "wk_web").status == 200


def test_other_addresses_are_not_concerned(client: Client) -> None:
    guess_on(client)
    assert guess(client, "guess", peer="192.0.2.2").status == 401


def test_one_network_is_one_guesser_for_ipv6(client: Client) -> None:
    guess_on(client, peer="2001:db8::1")
    assert guess(client, "guess", peer="2001:db8::2").status == 429
    assert guess(client, "guess", peer="2001:db8:0:1::1").status == 401


def test_the_address_is_that_behind_the_proxies(log: MemoryLog) -> None:
    client = edge(log, trusted=["10.0.0.0/8"])
    for number in range(GUESSES + 50):
        headers = {**basic("guess"), "X-Forwarded-For": f"203.0.113.{number % 2}"}
        answered = client.request("POST", "/v1/t", TRACK, headers, peer="10.0.0.1")
        assert answered is not None
        assert answered.status == 401


@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/t", b'{"writeKey":"guess","userId":"u1","event":"E"}'), ("/v1/b", b'{"writeKey":"guess","batch":[]}')],
)
def test_guesses_in_bodies_count(client: Client, path: str, body: bytes) -> None:
    guess_on(client)
    assert guess(client, "", path=path, body=body).status == 429


def test_who_names_no_key_guesses_nothing(client: Client) -> None:
    answers = {guess(client, "").status for _ in range(GUESSES + 1)}
    assert answers == {401}
    assert guess(client, "guess").status == 401


def test_a_hundred_thousand_guesses_from_everywhere_take_bounded_room() -> None:
    guesses = Guesses(lambda: NOON)
    for number in range(100_000):
        told = guesses.judged(UNKNOWN, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        assert isinstance(told, Unauthorized)
    assert len(guesses._counts) == MOST_ADDRESSES


def test_who_guesses_on_is_not_forgotten_for_others() -> None:
    guesses = Guesses(lambda: NOON)
    told = [guesses.judged(UNKNOWN, "192.0.2.1") for _ in range(GUESSES)]
    for number in range(MOST_ADDRESSES - 1):
        guesses.judged(UNKNOWN, f"10.0.{number >> 8}.{number & 255}")
    assert not any(isinstance(each, TooMany) for each in told)
    assert isinstance(guesses.judged(UNKNOWN, "192.0.2.1"), TooMany)
