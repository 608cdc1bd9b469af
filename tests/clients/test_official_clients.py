"""The official clients against a running Turnout: what they were told is what arrives, once."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.clients import calls
from tests.clients.calls import Call
from tests.clients.conftest import Desk
from tests.clients.driving import Report, Sdk
from tests.running import Role
from tests.waiting import eventually

pytestmark = pytest.mark.clients

SETTINGS: list[tuple[str, Mapping[str, Any]]] = [
    ("python", {}),
    ("python", {"gzip": True, "upload_size": 7}),
    ("python", {"sync_mode": True}),
    ("node", {}),
    ("node", {"flushAt": 1}),
]
SMALL_BATCHES = {"python": {"upload_size": 10}, "node": {"flushAt": 10}}
OF_EVERY_MESSAGE = {"messageId", "originalTimestamp", "sentAt", "receivedAt", "timestamp"}
A_MILLISECOND = timedelta(milliseconds=1)


@pytest.mark.parametrize(("name", "settings"), SETTINGS, ids=str)
def test_what_a_client_was_told_is_what_arrives(
    desk: Desk, request: pytest.FixtureRequest, name: str, settings: Mapping[str, Any]
) -> None:
    sdk: Sdk = request.getfixturevalue(f"{name}_sdk")
    made = list(calls.of(name))
    began = datetime.now(UTC)
    with desk.open(sdk, **settings) as client:
        client.calls((call.method, own_ids(call, desk)) for call in made)
        report = client.end()
    assert report.errors == ()
    status = desk.settled(len(made))
    reaching = [call.goes_to_hook for call in made]
    assert desk.account("hook", status) == ended(delivered=reaching.count(True), filtered=reaching.count(False))
    assert desk.account("archive", status) == ended(delivered=len(made))
    archived = by_id(desk.archived(), report)
    assert by_id(desk.arrived(report), report) == {
        report.ids[n]: archived[report.ids[n]] for n, reaches in enumerate(reaching) if reaches
    }
    for call, message_id in zip(made, report.ids, strict=True):
        assert_stored_as_told(archived[message_id], call, sdk)
        assert_times_fit(archived[message_id], call, began)


def test_more_messages_than_fit_in_one_request_arrive_once(desk: Desk, node_sdk: Sdk) -> None:
    with desk.open(node_sdk) as client:
        client.calls(numbered(range(100)))
        report = client.end()
    assert report.requests > 1
    assert_each_arrived_once(desk, report, 100)


def test_the_messages_of_a_user_arrive_in_order_when_the_client_keeps_it(desk: Desk, python_sdk: Sdk) -> None:
    with desk.open(python_sdk) as client:
        client.calls(numbered(range(250)))
        report = client.end()
    assert report.requests > 1
    assert_each_arrived_once(desk, report, 250)
    for messages in (desk.arrived(report), desk.archived()):
        for user in {message["userId"] for message in messages}:
            numbers = [message["properties"]["n"] for message in messages if message["userId"] == user]
            assert numbers == sorted(numbers)


@pytest.mark.kill
def test_a_collector_killed_while_a_client_sends_costs_and_doubles_no_message(desk: Desk, sdk: Sdk) -> None:
    before = len(desk.receiver.requests)
    with desk.open(sdk, **SMALL_BATCHES[sdk.name]) as client:
        client.calls(numbered(range(150)))
        eventually(lambda: len(desk.receiver.requests) > before, what="the first message arrived")
        killed = desk.turnout.kill(Role.COLLECTOR)
        client.calls(numbered(range(150, 300)))
        report = client.end()
    assert desk.turnout.back(killed)
    assert_each_arrived_once(desk, report, 300)


def test_a_client_does_not_notice_that_the_log_stands_still(desk: Desk, sdk: Sdk) -> None:
    with desk.open(sdk, **SMALL_BATCHES[sdk.name]) as client:
        client.calls(numbered(range(20)))
        desk.settled(20)
        with desk.turnout.frozen(Role.LOG):
            said = len(desk.turnout.output)
            client.calls(numbered(range(20, 28)))
            eventually(lambda: "messages go to" in desk.turnout.output[said:], what="the collector kept them itself")
        report = client.end()
    assert report.errors == ()
    assert_each_arrived_once(desk, report, 28)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("python", "[Segment] unknown_write_key: the write key belongs to no source (401)"),
        ("node", "Error: [401] Unauthorized"),
    ],
    ids=["python", "node"],
)
def test_a_client_with_an_unknown_key_reports_the_error_and_does_not_try_again(
    desk: Desk, request: pytest.FixtureRequest, name: str, words: str
) -> None:
    sdk: Sdk = request.getfixturevalue(f"{name}_sdk")
    key = "write_key" if name == "python" else "writeKey"
    with desk.open(sdk, **{key: "of-nobody"}) as client:
        client.calls(numbered(range(3)))
        report = client.end()
    assert report.requests == 1
    assert {error.words for error in report.errors} == {words}
    assert sum(error.messages for error in report.errors) == 3
    assert desk.arrived(report) == []


def own_ids(call: Call, desk: Desk) -> dict[str, Any]:
    """The arguments; a messageId that the caller chose must be new to the source."""
    told = dict(call.told)
    if "messageId" in told:
        told["messageId"] += f" of {desk.source}"
    return told


def numbered(numbers: range) -> list[tuple[str, dict[str, Any]]]:
    return [("track", {"userId": f"u{n % 7}", "event": "N", "properties": {"n": n}}) for n in numbers]


def ended(*, delivered: int, filtered: int = 0) -> dict[str, int]:
    return {"received": delivered + filtered, "delivered": delivered, "filtered": filtered, "dead": 0}


def by_id(messages: list[dict[str, Any]], report: Report) -> dict[str, dict[str, Any]]:
    """The messages by id, each there once, and each one of the client's."""
    found = {message["messageId"]: message for message in messages}
    assert len(found) == len(messages), "a message is there twice"
    assert found.keys() <= set(report.ids)
    return found


def assert_each_arrived_once(desk: Desk, report: Report, count: int) -> dict[str, Any]:
    """And what `status` says of it."""
    assert report.errors == ()
    assert len(set(report.ids)) == count
    status = desk.settled(count)
    for destination in ("hook", "archive"):
        assert desk.account(destination, status) == ended(delivered=count)
    for messages in (desk.arrived(report), desk.archived()):
        found = by_id(messages, report)
        assert [found[message_id]["properties"] for message_id in report.ids] == [{"n": n} for n in range(count)]
    return status


def assert_stored_as_told(message: dict[str, Any], call: Call, sdk: Sdk) -> None:
    expected = call.expected(sdk.name)
    expected["context"] = {**expected["context"], "library": sdk.library}
    stored = {name: value for name, value in message.items() if name not in OF_EVERY_MESSAGE}
    if sdk.name == "node":
        assert stored.pop("_metadata")["jsRuntime"] == "node"
    assert stored == expected


def assert_times_fit(message: dict[str, Any], call: Call, began: datetime) -> None:
    times = {name: datetime.fromisoformat(message[name]) for name in OF_EVERY_MESSAGE - {"messageId"}}
    slack = timedelta(milliseconds=2)  # clients and servers round to milliseconds, not all in one direction
    assert began - slack <= times["sentAt"] <= times["receivedAt"] + slack <= datetime.now(UTC) + 2 * slack
    if call.original_timestamp is None:
        assert began - slack <= times["originalTimestamp"] <= times["sentAt"] + slack
    else:
        assert message["originalTimestamp"] == call.original_timestamp
    corrected = times["receivedAt"] - (times["sentAt"] - times["originalTimestamp"])
    assert abs(times["timestamp"] - corrected) <= A_MILLISECOND
