"""Who may post to OpenPanel's API, and how the others are told."""

import pytest

from collector.policy import OpenPanel, Policy
from destinations.settings import Secret
from tests.collector.client import basic
from tests.collector.openpanel.asking import BROWSER, SERVER, Asking

BODY = {"type": "track", "payload": {"name": "E", "profileId": "u1"}}


@pytest.fixture
def guarded() -> Asking:
    return Asking(Policy(openpanel=OpenPanel(secret=Secret("hush-hush"))))


@pytest.mark.parametrize(
    ("headers", "more"),
    [
        ({"openpanel-client-id": "wk_web_new"}, {}),
        ({"mixan-client-id": "wk_web"}, {}),
        ({}, {"clientId": "wk_web"}),
        (basic("wk_web"), {}),
    ],
)
def test_the_client_id_is_a_write_key(headers: dict[str, str], more: dict[str, str]) -> None:
    asking = Asking()
    assert asking.post("/track", {**BODY, **more}, headers).status == 200
    assert [item.source for item in asking.log.items] == ["web"]


@pytest.mark.parametrize(
    ("headers", "more"),
    [({"openpanel-client-id": "nobody"}, {}), ({}, {"clientId": "nobody"}), ({}, {}), ({}, {"clientId": 5})],
)
def test_without_a_good_client_id_the_answer_is_plain_text(headers: dict[str, str], more: dict[str, object]) -> None:
    asking = Asking()
    answered = asking.post("/track", {**BODY, **more}, headers)
    assert (answered.status, answered.headers["content-type"]) == (401, "text/plain; charset=utf-8")
    assert b"nobody" not in answered.body
    assert (asking.log.items, asking.log.refusals) == ([], [])


@pytest.mark.parametrize(
    ("headers", "more"),
    [
        (SERVER | {"openpanel-client-secret": "hush-hush"}, {}),
        ({"mixan-client-id": "wk_web", "mixan-client-secret": "hush-hush"}, {}),
        ({}, {"clientId": "wk_web", "clientSecret": "hush-hush"}),
        (BROWSER, {}),
    ],
)
def test_a_server_needs_the_secret_and_a_script_does_not(
    guarded: Asking, headers: dict[str, str], more: dict[str, str]
) -> None:
    assert guarded.post("/track", {**BODY, **more}, headers).status == 200


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (SERVER, BODY),
        (SERVER, b"{broken"),
        (SERVER | {"openpanel-client-secret": "hush"}, BODY),
        (SERVER, {**BODY, "clientSecret": 5}),
    ],
)
def test_without_the_secret_nothing_is_taken_nor_kept(guarded: Asking, headers: dict[str, str], body: object) -> None:
    answered = guarded.post("/track", body, headers)
    assert (answered.status, answered.headers["content-type"]) == (401, "text/plain; charset=utf-8")
    assert b"hush" not in answered.body
    assert (guarded.log.items, guarded.log.refusals) == ([], [])


@pytest.mark.parametrize("path", ["/track", "/api/track", "/track/", "/api/track/"])
def test_those_who_hosted_openpanel_keep_their_path(path: str) -> None:
    assert Asking().post(path, BODY, SERVER).status == 200


@pytest.mark.parametrize("headers", [basic("wk_web"), {}])
def test_who_means_segments_api_is_shown_the_way(headers: dict[str, str]) -> None:
    answered = Asking().post("/track", {"userId": "u1", "event": "E"}, headers)
    assert b"a message as Segment has them goes to /v1/track" in answered.body


@pytest.mark.parametrize("body", [b'{"type": "track", ', b"[]", b"", b'{"type": 5, "payload": {}}', b"[" * 300])
def test_a_body_that_cannot_be_read_is_kept(body: bytes) -> None:
    asking = Asking()
    answered = asking.post("/track", body, SERVER)
    assert (answered.status, answered.json()["status"]) == (400, 400)
    assert [refusal.raw for refusal in asking.log.refusals] == [body]


def test_no_credentials_are_kept() -> None:
    body = b'{"clientId": "id:secret", "clientSecret" : "hush\\"-hush", "type": "track"}'
    asking = Asking()
    assert asking.post("/track", body, {}).status == 400
    assert asking.log.refusals[0].raw == b'{"clientId": "***", "clientSecret" : "***", "type": "track"}'


def test_half_an_emoji_spoils_nothing() -> None:
    asking = Asking()
    body = b'{"type": "track", "payload": {"name": "E", "properties": {"a": "\\ud83d"}}}'
    assert asking.post("/track", body, SERVER).status == 200
    assert asking.log.messages[0]["properties"] == {"a": "\N{REPLACEMENT CHARACTER}"}


def test_recordings_may_be_refused() -> None:
    asking = Asking(Policy(openpanel=OpenPanel(replay="refuse")))
    recording = {"chunk_index": 0, "events_count": 1, "payload": "[]"}
    assert asking.track("replay", recording).status == 400
    assert asking.log.refusals == []


@pytest.mark.parametrize("member", ["chunk_index", "events_count", "payload"])
def test_a_recording_with_a_mistake_is_told_so(member: str) -> None:
    recording = {"chunk_index": 0, "events_count": 1, "payload": "[]"} | {member: -1}
    answered = Asking().track("replay", recording)
    assert (answered.status, f"`{member}`" in answered.json()["message"]) == (400, True)


def test_a_wrong_method_is_told_in_openpanels_words() -> None:
    answered = Asking().client.get("/track", SERVER)
    assert (answered.status, answered.json()["error"]) == (405, "Method Not Allowed")


def test_scripts_of_other_sites_are_told_in_openpanels_words() -> None:
    asking = Asking(Policy(origins=("https://other.example",)))
    answered = asking.post("/track", BODY, BROWSER)
    assert (answered.status, answered.json()["error"]) == (403, "Forbidden")
    assert asking.log.items == []
