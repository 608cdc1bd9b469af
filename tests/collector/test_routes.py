"""Every path that takes messages, and what the others say."""

import pytest

from collector.routes import ROUTES
from tests.collector.client import Client, MemoryLog, basic

TYPES = {
    "identify": {"userId": "u1"},
    "group": {"userId": "u1", "groupId": "g1"},
    "track": {"userId": "u1", "event": "Signed Up"},
    "page": {"userId": "u1"},
    "screen": {"userId": "u1"},
    "alias": {"userId": "u1", "previousId": "u0"},
}
SINGLE = [
    (path, kind) for kind in TYPES for path in (f"/v1/{kind}", f"/v1/{kind[0]}", f"/v1/{kind}/", f"/v1/{kind[0]}/")
]
BATCH = ["/v1/batch", "/v1/b", "/v1/import", "/v1/batch/", "/v1/b/", "/v1/import/"]


@pytest.mark.parametrize(("path", "kind"), SINGLE)
def test_a_path_gives_its_message_the_type(client: Client, log: MemoryLog, path: str, kind: str) -> None:
    answered = client.post(path, TYPES[kind])
    assert (answered.status, answered.json()) == (200, {"success": True})
    assert log.messages[0]["type"] == kind


@pytest.mark.parametrize("path", BATCH)
def test_a_batch_is_taken_at_each_of_its_names(client: Client, log: MemoryLog, path: str) -> None:
    batch = [{"type": kind, **message} for kind, message in TYPES.items()]
    assert client.post(path, {"batch": batch}).json() == {"success": True}
    assert [message["type"] for message in log.messages] == list(TYPES)


def test_these_are_all_the_paths_of_the_mother_tongue() -> None:
    assert {path for path, route in ROUTES.items() if route.dialect is None} == {path for path, _ in SINGLE} | set(
        BATCH
    )


def test_success_is_json_with_status_200(client: Client) -> None:
    answered = client.post("/v1/t", TYPES["track"])
    assert answered.body == b'{"success":true}'
    assert answered.headers["content-type"] == "application/json"
    assert answered.headers["content-length"] == "16"


@pytest.mark.parametrize("path", ["/v1/track", "/v1/track/", "/v1/batch"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "PATCH"])
def test_another_method_is_named_a_mistake(client: Client, path: str, method: str) -> None:
    answered = client.get(path, method=method)
    assert answered.status == 405
    assert answered.headers["allow"] == "POST, OPTIONS"
    assert answered.json()["code"] == "method_not_allowed"


def test_a_mounted_edge_finds_its_paths(client: Client, log: MemoryLog) -> None:
    answered = client.request("POST", "/events/v1/identify", b'{"userId":"u1"}', basic("wk_web"), root_path="/events")
    assert answered is not None
    assert answered.status == 200


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/v1/v1/batch", "/v1/batch"),
        ("/v1/v1/track/", "/v1/track"),
        ("//v1/track", "/v1/track"),
        ("/b", "/v1/b"),
        ("/V1/Track", "/v1/track"),
        ("/v1//batch", "/v1/batch"),
    ],
)
def test_a_path_that_is_nearly_right_is_put_right_in_the_error(client: Client, path: str, meant: str) -> None:
    answered = client.post(path, {})
    assert answered.status == 404
    assert f"did you mean {meant}?" in answered.json()["message"]


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/", "/v2/tracks", "/v1/tracks", "/favicon.ico"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_path_is_an_error_in_json(client: Client, path: str, method: str) -> None:
    answered = client.get(path, method=method)
    assert answered.status == 404
    assert answered.json() == {
        "success": False,
        "code": "not_found",
        "message": "there is nothing here",
        "error": "there is nothing here",
    }
