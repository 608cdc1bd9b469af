"""F37 to F41, seen from outside: odd texts, doubles, strangers, bodies of half a million keys."""

import contextlib
import threading
from typing import Any

import pytest

from collector.meters import GUESSES
from tests.faults.scale import Scale
from tests.faults.test_collector import listens
from tests.faults.trial import Trial
from tests.running import Running, free_port
from tests.waiting import eventually

TEXTS = {
    "escaped null": "a\u0000b",
    "right to left": "\u202eabc\u202c \u0627\u0644\u0639",
    "emoji of four bytes": "\U0001f600\U0001f468\u200d\U0001f469",
    "byte order mark inside": "a\ufeffb",
    "line separators": "a\u2028b\u2029c",
    "control characters": "\u0001\u001f\u007f\r\n\t",
    "quotes and slashes": "\"'\\/</script>",
}
KEYS = {"": 1, "__proto__": {"x": 1}, "constructor": 2, "k" * 10_000: 3, "a.b": 4, "$set": 5}


def texts_and_keys(user: str) -> list[dict[str, Any]]:
    odd = [{"properties": {"text": text}} for text in TEXTS.values()] + [{"properties": KEYS}]
    return [
        {"type": "track", "event": "Odd", "userId": user, "messageId": f"{user}-{number:06d}", **one}
        for number, one in enumerate(odd)
    ]


@pytest.mark.scenario("F37")
def test_odd_texts_and_keys_come_out_as_they_went_in(trial: Trial) -> None:
    town, sent = trial.town, texts_and_keys("f37")
    assert town.turnout.post("/v1/batch", {"batch": sent})[0] == 200
    eventually(lambda: len(mine("f37", town.at_hook())) == len(sent), what="all arrived")
    trial.quiet()
    for place, found in town.arrivals().items():
        properties = [message["properties"] for message in mine("f37", found)]
        assert properties == [message["properties"] for message in sent], place


@pytest.mark.scenario("F39")
def test_half_a_million_keys_are_refused_before_anybody_looks_at_them(trial: Trial) -> None:
    town = trial.town
    many = {f"key{number}": number for number in range(500_000)}
    status, answer = town.turnout.post("/v1/track", {"userId": "f39", "event": "Wide", "properties": many})
    assert (status, answer["code"]) == (400, "payload_too_large")
    assert town.turnout.ready()


@pytest.mark.scenario("F40")
def test_the_same_batch_from_ten_clients_at_two_collectors_is_taken_once(trial: Trial, scale: Scale) -> None:
    town, port = trial.town, free_port()
    batch = [{"type": "track", "event": "Same", "userId": "f40", "messageId": f"f40-{n:06d}"} for n in range(20)]
    with town.turnout.beside("serve", "--port", str(port)):
        listens(town, port)
        clients = [
            threading.Thread(target=post_often, args=(town.turnout, batch, (port, town.turnout.port)[n % 2], times))
            for n, times in enumerate([scale.of(3, 10)] * 10)
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        trial.quiet()
    for place, found in town.arrivals().items():
        ids = [message["messageId"] for message in mine("f40", found)]
        assert ids == [message["messageId"] for message in batch], place


@pytest.mark.scenario("F41")
def test_guessed_keys_cost_the_log_nothing(trial: Trial, scale: Scale) -> None:
    town = trial.town
    before = scripts_run(trial)
    message = {"userId": "u", "event": "E"}
    told = [town.turnout.post("/v1/track", message, key=f"guess{n}")[0] for n in range(scale.of(150, 2_000))]
    assert set(told) == {401, 429}
    assert told.index(429) <= GUESSES
    assert scripts_run(trial) == before
    assert not list(town.log.client.scan_iter("*guess*"))


def post_often(turnout: Running, batch: list[dict[str, Any]], port: int, times: int) -> None:
    for _ in range(times):
        with contextlib.suppress(OSError):
            assert turnout.post("/v1/batch", {"batch": batch}, port=port)[0] == 200


def scripts_run(trial: Trial) -> int:
    """How many messages the log has taken or refused."""
    return trial.town.counts("received") + trial.town.counts("refused")


def mine(user: str, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [message for message in messages if message["userId"] == user]
