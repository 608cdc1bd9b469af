"""Every path that takes messages, and what the others say."""

import pytest

from collector.routes import ALIASES, ROUTES
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
BATCH = [
    "/beacon/v1/batch",
    "/beacon/v1/batch/",
    "/v1/batch",
    "/v1/b",
    "/v1/import",
    "/v1/batch/",
    "/v1/b/",
    "/v1/import/",
]


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


@pytest.mark.parametrize("start", ["", "/v1/v1", "/v1/batch", "/v1/batch/v1"])
@pytest.mark.parametrize(
    ("path", "kind"), [pair for pair in SINGLE if "track" not in pair[0] and "ident" not in pair[0]]
)
def test_a_host_with_too_little_or_too_much_of_the_path_is_understood(
    client: Client, log: MemoryLog, start: str, path: str, kind: str
) -> None:
    assert client.post(start + path.removeprefix("/v1"), TYPES[kind]).json() == {"success": True}
    assert log.messages[0]["type"] == kind


@pytest.mark.parametrize("path", ["/b", "/batch/", "/import", "/v1/v1/batch", "/v1/v1/import/", "/v1/batch/b"])
def test_so_is_one_that_gets_batches(client: Client, log: MemoryLog, path: str) -> None:
    assert client.post(path, {"batch": [{"type": "identify", "userId": "u1"}]}).json() == {"success": True}
    assert len(log.messages) == 1


def test_an_alias_takes_no_path_from_a_route() -> None:
    assert not ALIASES.keys() & ROUTES.keys()
    assert "/track" not in ALIASES
    assert "/identify" not in ALIASES


def test_what_an_alias_refused_is_kept_under_the_path_that_was_meant(client: Client, log: MemoryLog) -> None:
    assert client.post("/t", {"userId": "u1"}).status == 400
    assert [refusal.path for refusal in log.refusals] == ["/v1/t"]


@pytest.mark.parametrize("path", ["/v1/m", "/v1/m/", "/m", "/v1/v1/m", "/v1/batch/m", "/rsaMetrics"])
def test_the_figures_of_sdks_are_taken_without_a_key_and_kept_nowhere(
    client: Client, log: MemoryLog, path: str
) -> None:
    answered = client.request("POST", path, b'{"series":[]}', {"Content-Type": "text/plain", "Origin": "https://a"})
    assert answered is not None
    assert (answered.status, answered.json()) == (200, {"success": True})
    assert answered.headers["access-control-allow-origin"] == "https://a"
    assert log.puts == 0


def test_figures_without_end_are_not_read_to_the_end(client: Client) -> None:
    answered = client.request("POST", "/v1/m", [b"x" * 10_000] * 10)
    assert answered is not None
    assert (answered.status, answered.json()["code"]) == (400, "payload_too_large")


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
        ("/v1/v1/v1/batch", "/v1/batch"),
        ("/events/v1/track/", "/v1/track"),
        ("//v1/track", "/v1/track"),
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
        "message": "there is nothing here; /openapi.json lists all paths",
        "error": "there is nothing here; /openapi.json lists all paths",
    }
