"""Devices and sessions of those who keep no id of their own."""

import pytest

from collector.dialects.openpanel.visitor import SESSION_MS, device_of, session_of
from collector.policy import Policy
from tests.collector.client import Answered, MemoryLog, edge
from tests.collector.openpanel.asking import BROWSER, SERVER, Asking

TRACK = {"name": "E", "profileId": "u1"}


@pytest.fixture
def asking() -> Asking:
    return Asking()


def device(answered: Answered) -> str:
    assert answered.status == 200, answered.body
    assert answered.json()["sessionId"]
    return str(answered.json()["deviceId"])


def test_everything_that_is_hashed_makes_another_device() -> None:
    base = (b"salt", "web", "192.0.2.1", "Mozilla")
    others = [
        (b"other", *base[1:]),
        (*base[:1], "shop", *base[2:]),
        (*base[:2], "192.0.2.2", "Mozilla"),
        (*base[:3], "X"),
    ]
    assert len({device_of(*base), *(device_of(*other) for other in others)}) == 5


def test_a_session_is_a_half_hour_of_one_device() -> None:
    start = 1_700_000 * SESSION_MS
    assert session_of("d", start) == session_of("d", start + SESSION_MS - 1)
    assert session_of("d", start) != session_of("d", start + SESSION_MS)
    assert session_of("d", start) != session_of("e", start)


def test_a_device_is_the_same_in_all_answers(asking: Asking) -> None:
    payload = {"profileId": "u1", "property": "a"}
    found = {device(asking.track(kind, {**TRACK, **payload}, BROWSER)) for kind in ("track", "identify", "increment")}
    assert found == {device(asking.client.get("/track/device-id", BROWSER))}


def test_the_question_for_the_device_is_answered_with_a_message(asking: Asking) -> None:
    assert sorted(asking.client.get("/track/device-id/", BROWSER).json()) == ["deviceId", "message", "sessionId"]
    assert asking.log.puts == 0


def test_a_device_that_has_no_user_agent_is_unknown(asking: Asking) -> None:
    answered = asking.client.get("/track/device-id", SERVER)
    assert (answered.status, answered.headers["content-type"]) == (400, "text/plain; charset=utf-8")


def test_an_id_of_the_clients_own_is_taken(asking: Asking) -> None:
    (message,) = asking.told("track", TRACK | {"properties": {"__deviceId": "my-device"}})
    assert (message["anonymousId"], message["properties"]) == ("my-device", {})
    assert device(asking.track("track", TRACK | {"properties": {"__deviceId": "my-device"}})) == "my-device"


@pytest.mark.parametrize("value", ["x" * 65, "", 5])
def test_an_id_that_is_none_is_left_with_the_properties(asking: Asking, value: object) -> None:
    (message,) = asking.told("track", {"name": "E", "properties": {"__deviceId": value}})
    assert message["properties"] == {"__deviceId": value}


def test_a_browser_is_told_apart_and_described(asking: Asking) -> None:
    (message,) = asking.told("track", TRACK, BROWSER)
    answered = asking.client.get("/track/device-id", BROWSER).json()
    assert message["anonymousId"] == answered["deviceId"]
    assert message["context"] == {
        "library": {"name": "web", "version": "1.4.1"},
        "userAgent": "Mozilla/5.0",
        "ip": "192.0.2.1",
        "sessionId": answered["sessionId"],
    }


def test_the_users_of_a_server_do_not_become_one_person(asking: Asking) -> None:
    (message,) = asking.told("track", TRACK, SERVER | {"user-agent": "node"})
    assert "anonymousId" not in message
    assert message["context"] == {"library": {"name": "node", "version": "1.3.1"}}


def test_a_server_may_say_whose_address_it_is(asking: Asking) -> None:
    (message,) = asking.told("track", TRACK | {"properties": {"__ip": "2001:DB8::1"}}, SERVER | {"user-agent": "node"})
    assert (message["context"]["ip"], message["properties"]) == ("2001:db8::1", {})
    assert "anonymousId" in message
    assert "userAgent" not in message["context"]


def test_a_proxy_may_say_whose_address_it_is(asking: Asking) -> None:
    headers = SERVER | {"user-agent": "Mozilla/5.0", "openpanel-client-ip": "192.0.2.77"}
    (message,) = asking.told("track", TRACK, headers)
    assert (message["context"]["ip"], message["context"]["userAgent"]) == ("192.0.2.77", "Mozilla/5.0")


def test_an_address_that_is_none_is_left_with_the_properties(asking: Asking) -> None:
    (message,) = asking.told("track", TRACK | {"properties": {"__ip": "somewhere"}})
    assert message["properties"] == {"__ip": "somewhere"}


@pytest.mark.parametrize(("time", "inside"), [("2023-11-15T11:50:00Z", True), ("2023-11-15T11:40:00Z", False)])
def test_what_happened_long_ago_is_in_no_session(asking: Asking, time: str, inside: bool) -> None:
    (message,) = asking.told("track", TRACK | {"properties": {"__timestamp": time}}, BROWSER)
    assert ("sessionId" in message["context"]) is inside


def test_an_address_is_kept_as_the_source_wants_it() -> None:
    asking = Asking(Policy(ip="drop"))
    (message,) = asking.told("track", TRACK | {"properties": {"__ip": "192.0.2.5"}}, BROWSER)
    assert "ip" not in message["context"]


def test_visitors_behind_one_proxy_are_several() -> None:
    asking = Asking(trusted=["192.0.2.1"])
    addresses = ("198.51.100.1", "198.51.100.2", "198.51.100.1")
    found = [device(asking.track("track", TRACK, BROWSER | {"x-forwarded-for": address})) for address in addresses]
    assert (found[0] == found[2], len(set(found))) == (True, 2)


def ids(asking: Asking) -> list[str]:
    return [item.message_id for item in asking.log.items]


def test_equal_requests_of_a_server_are_two(asking: Asking) -> None:
    for _ in range(2):
        asking.told("track", TRACK)
    assert len(set(ids(asking))) == 2


def test_equal_requests_of_a_browser_in_the_same_instant_are_one(asking: Asking) -> None:
    for headers in (BROWSER, BROWSER, BROWSER | {"user-agent": "Another"}):
        asking.told("assign_group", {"groupIds": ["g1", "g2"]}, headers)
    assert len(ids(asking)) == 6
    assert len(set(ids(asking))) == 4


def test_equal_requests_of_a_browser_are_two_when_there_was_time_for_a_second_click() -> None:
    log, clock = MemoryLog(), iter([1.0, 1.2])
    client = edge(log, now=lambda: next(clock))
    for _ in range(2):
        client.post("/track", {"type": "track", "payload": TRACK}, BROWSER)
    assert len({item.message_id for item in log.items}) == 2


def test_what_carries_its_own_time_is_known_again(asking: Asking) -> None:
    for time in ("2023-11-15T11:00:00.001Z", "2023-11-15T11:00:00.001Z", "2023-11-15T11:00:00.002Z"):
        asking.told("track", TRACK | {"properties": {"__timestamp": time}})
    assert len(set(ids(asking))) == 2
