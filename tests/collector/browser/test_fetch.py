"""The library for browsers comes from the registry, is what was published, and nothing else is written."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from collector.browser.fetch import LARGEST_FILE, NotFetched, fetch, registry_of, unpack, unpack_file
from tests.collector.browser.parcels import FILES, pin_of, tarball
from tests.receiver import Answer, Raw, Receiver

GOOD = tarball()
KEPT = {
    "LICENSE.MD", "standalone.js", "standalone.js.gz",
    "407.bundle.61efa1acb302134c434b.js", "407.bundle.61efa1acb302134c434b.js.gz",
}  # fmt: skip


@pytest.fixture
def registry() -> Iterator[Receiver]:
    with Receiver() as listening:
        listening.always(Answer(body=GOOD))
        yield listening


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_it_is_fetched_once_and_only_what_is_wanted_is_kept(registry: Receiver, tmp_path: Path) -> None:
    pins = [pin_of(GOOD)]
    (directory,) = fetch(tmp_path, registry.url, pins)
    assert directory == tmp_path / "1.2.3"
    assert names(directory) == KEPT
    assert (directory / "standalone.js").read_bytes() == b"script()"
    assert fetch(tmp_path, registry.url + "/", pins) == [directory]
    assert [request.path for request in registry.requests] == ["/@segment/analytics-next/-/analytics-next-1.2.3.tgz"]
    assert names(tmp_path) == {"1.2.3"}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(404), "answers 404"),
        (Answer(body=GOOD + b"x"), "its hash is another"),
        (Answer(body=b""), "its hash is another"),
        (Raw(b"nonsense\r\n\r\n"), "cannot be reached"),
        (Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\nhalf"), "cannot be reached|its hash is another"),
    ],
    ids=["not there", "changed", "empty", "no HTTP", "broken off"],
)
def test_what_is_not_what_was_published_is_not_kept(
    registry: Receiver, tmp_path: Path, answer: Answer | Raw, words: str
) -> None:
    registry.always(answer)
    with pytest.raises(NotFetched, match=words):
        fetch(tmp_path, registry.url, [pin_of(GOOD)])
    assert names(tmp_path) == set()


def test_without_a_network_the_reason_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFetched, match=r"http://127\.0\.0\.1:9/.* cannot be reached: .*refused"):
        fetch(tmp_path, "http://127.0.0.1:9", [pin_of(GOOD)])


def test_only_http_is_spoken(tmp_path: Path) -> None:
    with pytest.raises(NotFetched, match="is no http or https address"):
        fetch(tmp_path, "file:///etc", [pin_of(GOOD)])


def test_a_password_in_the_address_of_the_registry_is_not_told(tmp_path: Path) -> None:
    with pytest.raises(NotFetched, match=r"registry\.example") as told:
        fetch(tmp_path, "https://me:hush@registry.example", [pin_of(b"")])
    assert "hush" not in str(told.value)


def test_a_tarball_can_be_brought_along(tmp_path: Path) -> None:
    brought = tmp_path / "analytics-next.tgz"
    brought.write_bytes(GOOD)
    assert names(unpack_file(brought, tmp_path / "here", [pin_of(GOOD)])) == KEPT
    brought.write_bytes(tarball({}))
    with pytest.raises(NotFetched, match=r"is not the published @segment/analytics-next 1\.2\.3"):
        unpack_file(brought, tmp_path / "here", [pin_of(GOOD)])
    with pytest.raises(NotFetched, match="cannot be read"):
        unpack_file(tmp_path / "none.tgz", tmp_path / "here")


def test_a_tarball_writes_nowhere_else(tmp_path: Path) -> None:
    bad = {
        **FILES,
        "package/dist/umd/../../../../standalone.js": b"up",
        "/standalone.js": b"root",
        "package/dist/umd/..bundle.61efa1acb302134c434b.js": b"odd",
    }
    packed = tarball(bad, link=("package/dist/umd/link.bundle.61efa1acb302134c434b.js", "/etc/passwd"))
    directory = unpack(packed, pin_of(packed), tmp_path / "here")
    assert names(directory) == KEPT
    assert (directory / "standalone.js").read_bytes() == b"script()"
    assert names(tmp_path) == {"here"}


def test_a_script_that_is_far_too_large_is_refused(tmp_path: Path) -> None:
    packed = tarball({"package/dist/umd/standalone.js": bytes(LARGEST_FILE + 1)})
    with pytest.raises(NotFetched, match="more than a script for a page has"):
        unpack(packed, pin_of(packed), tmp_path)
    assert names(tmp_path) == set()


def test_what_was_left_half_done_is_done_anew(tmp_path: Path) -> None:
    (tmp_path / "1.2.3").mkdir()
    (tmp_path / "1.2.3" / "junk").touch()
    assert names(unpack(GOOD, pin_of(GOOD), tmp_path)) == KEPT


@pytest.mark.parametrize(
    ("environment", "npmrc", "expected"),
    [
        ({}, "", "https://registry.npmjs.org"),
        ({}, "registry = https://mirror.example/npm/\n", "https://mirror.example/npm/"),
        ({}, "registry=https://a.example\n@segment:registry=https://b.example\n", "https://b.example"),
        ({"npm_config_registry": "https://env.example"}, "registry=https://a.example", "https://env.example"),
        ({"NPM_CONFIG_REGISTRY": "https://env.example"}, "", "https://env.example"),
        ({"MIRROR": "m.example"}, "; a comment\nregistry=https://${MIRROR}/", "https://m.example/"),
        ({}, "# registry=https://a.example", "https://registry.npmjs.org"),
    ],
)
def test_the_registry_is_the_one_that_npm_would_ask(
    tmp_path: Path, environment: Mapping[str, str], npmrc: str, expected: str
) -> None:
    (tmp_path / ".npmrc").write_text(npmrc)
    assert registry_of(environment, tmp_path) == expected
