"""The script for pages and its chunks are served as they were published, for caches to keep."""

import gzip
from pathlib import Path

import pytest

from collector.browser.published import PINS, Pin
from collector.browser.shelf import Shelf
from tests.collector.browser.conftest import CHUNK, CHUNK_NAME, SCRIPT, put
from tests.collector.client import Client

SCRIPT_PATH = "/analytics.js/v1/wk_web/analytics.min.js"
CHUNK_PATH = f"/analytics-next/bundles/{CHUNK_NAME}"


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    "path",
    [
        SCRIPT_PATH,
        "/v1" + SCRIPT_PATH,
        "/analytics.js/v1/any%20key/analytics.min.js",
        "/analytics.js/v1/wk_web/analytics.js",
        "/analytics.js/v1/wk_web/platform/analytics.min.js",
    ],
)
def test_the_script_is_the_same_for_every_key(visitor: Client, path: str) -> None:
    answered = visitor.get(path)
    assert (answered.status, answered.body) == (200, SCRIPT)
    assert answered.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answered.headers["cache-control"] == "public, max-age=600"
    assert answered.headers["cross-origin-resource-policy"] == "cross-origin"


@pytest.mark.usefixtures("library")
def test_a_hostile_key_does_not_show_in_the_script(visitor: Client) -> None:
    answered = visitor.get('/analytics.js/v1/";alert(1);"/analytics.min.js')
    assert answered.body == SCRIPT


@pytest.mark.usefixtures("library")
def test_a_chunk_may_be_kept_for_ever(visitor: Client) -> None:
    answered = visitor.get(CHUNK_PATH)
    assert (answered.status, answered.body) == (200, CHUNK)
    assert answered.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip, deflate, br, zstd", True),
        ("GZIP;q=0.5", True),
        ("*", True),
        ("gzip;q=0, *", False),
        ("gzip; q=0.0", False),
        ("br", False),
        ("", False),
    ],
)
def test_it_is_packed_for_who_can_unpack_it(visitor: Client, accepted: str, packed: bool) -> None:
    answered = visitor.get(SCRIPT_PATH, {"Accept-Encoding": accepted})
    assert answered.headers.get("content-encoding") == ("gzip" if packed else None)
    assert (gzip.decompress(answered.body) if packed else answered.body) == SCRIPT
    assert answered.headers["vary"] == "Accept-Encoding, Origin"


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("path", [SCRIPT_PATH, CHUNK_PATH])
@pytest.mark.parametrize("accepted", ["gzip", "identity"])
def test_who_has_it_is_told_so(visitor: Client, path: str, accepted: str) -> None:
    tag = visitor.get(path, {"Accept-Encoding": accepted}).headers["etag"]
    for named in (tag, f'"old", {tag}', f"W/{tag}", "*"):
        answered = visitor.get(path, {"Accept-Encoding": accepted, "If-None-Match": named})
        assert (answered.status, answered.body, answered.headers["etag"]) == (304, b"", tag)
        assert "content-encoding" not in answered.headers
    assert visitor.get(path, {"Accept-Encoding": accepted, "If-None-Match": '"old"'}).status == 200


@pytest.mark.usefixtures("library")
def test_plain_and_packed_have_tags_of_their_own(visitor: Client) -> None:
    tags = {visitor.get(SCRIPT_PATH, {"Accept-Encoding": accepted}).headers["etag"] for accepted in ("gzip", "")}
    assert len(tags) == 2


@pytest.mark.usefixtures("library")
def test_a_script_of_another_origin_may_read_it_and_caches_are_told(visitor: Client) -> None:
    answered = visitor.get(SCRIPT_PATH, {"Origin": "https://shop.example", "Accept-Encoding": "gzip"})
    assert answered.headers["access-control-allow-origin"] == "https://shop.example"
    assert answered.headers["vary"] == "Accept-Encoding, Origin"


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("path", [SCRIPT_PATH, CHUNK_PATH])
def test_head_is_answered_like_get(visitor: Client, path: str) -> None:
    head, get = visitor.get(path, method="HEAD"), visitor.get(path)
    assert (head.status, head.headers) == (get.status, get.headers)
    assert visitor.get(path, method="OPTIONS").status == 204
    assert visitor.get(path, method="POST").status == 405


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    "name", ["x.bundle.61efa1acb302134c434b.js", "LICENSE.MD", "standalone.js", "../1.84.3/standalone.js", "..%2f", "."]
)
def test_nothing_else_is_served(visitor: Client, name: str) -> None:
    answered = visitor.get(f"/analytics-next/bundles/{name}")
    assert (answered.status, answered.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", [SCRIPT_PATH, CHUNK_PATH])
def test_without_the_library_the_reason_is_told_until_it_is_there(visitor: Client, place: Path, path: str) -> None:
    answered = visitor.get(path, {"Origin": "https://shop.example"})
    assert (answered.status, answered.json()["code"]) == (503, "browser_library_missing")
    assert "turnout browser fetch" in answered.json()["message"]
    assert answered.headers["cache-control"] == "no-store"
    put(place / PINS[0].version, **{"standalone.js": SCRIPT, CHUNK_NAME: CHUNK})
    assert visitor.get(path).status == 200


def test_chunks_of_an_earlier_version_stay_there(tmp_path: Path) -> None:
    pins = [Pin("2.0.0", ""), Pin("1.0.0", "")]
    other = "old.bundle.00000000000000000000.js"
    put(tmp_path / "a" / "2.0.0", **{"standalone.js": b"new", CHUNK_NAME: b"new chunk"})
    put(tmp_path / "b" / "1.0.0", **{"standalone.js": b"old", CHUNK_NAME: b"old chunk", other: b"gone"})
    library = Shelf([tmp_path / "a", tmp_path / "b"], pins).library()
    assert library is not None
    assert (library.version, library.script.plain) == ("2.0.0", b"new")
    assert {name: book.plain for name, book in library.chunks.items()} == {CHUNK_NAME: b"new chunk", other: b"gone"}
