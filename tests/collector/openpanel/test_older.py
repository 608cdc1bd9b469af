"""The endpoints of OpenPanel's first SDKs."""

from typing import Any

import pytest

from tests.collector.openpanel.asking import Asking, stripped

OLD = {"mixan-client-id": "wk_web"}


@pytest.mark.parametrize(
    ("path", "body", "said", "kind"),
    [
        ("/event", {"name": "E", "profileId": "u1", "properties": {}}, b"ok", "track"),
        ("/profile", {"profileId": "u1", "firstName": "Ada"}, b"u1", "identify"),
        ("/profile/increment", {"profileId": 7, "property": "a", "value": 2}, b"7", "identify"),
        ("/api/profile/decrement/", {"profileId": "u1", "property": "a"}, b"u1", "identify"),
    ],
)
def test_they_answer_202_in_plain_text(path: str, body: dict[str, Any], said: bytes, kind: str) -> None:
    asking = Asking()
    answered = asking.post(path, body, OLD)
    assert (answered.status, answered.headers["content-type"]) == (202, "text/plain; charset=utf-8")
    assert answered.body == said
    assert [message["type"] for message in asking.log.messages] == [kind]


def test_an_event_says_its_own_time() -> None:
    asking = Asking()
    asking.post("/event", {"name": "E", "timestamp": "2023-11-15T11:00:00Z", "properties": {"a": 1}}, OLD)
    (message,) = asking.log.messages
    assert (message["timestamp"], stripped(message)["properties"]) == ("2023-11-15T11:00:00.000Z", {"a": 1})


@pytest.mark.parametrize(("path", "body"), [("/event", {}), ("/profile/increment", {"profileId": "u1"})])
def test_what_breaks_a_rule_is_told_and_kept(path: str, body: dict[str, Any]) -> None:
    asking = Asking()
    answered = asking.post(path, body, OLD)
    assert (answered.status, answered.json()["status"]) == (400, 400)
    assert [refusal.path for refusal in asking.log.refusals] == [path]
