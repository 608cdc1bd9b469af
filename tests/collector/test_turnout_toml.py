"""Reading turnout.toml: what it may say, and how mistakes are told."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collector.config import BUILT_IN, Config, DestinationHead, File, SourceTable, config_of, load
from collector.oauth.settings import OAuthServer, OAuthTable
from collector.policy import OpenPanel
from destinations.errors import SettingsError

ROOT = Path(__file__).parents[2]
MINIMAL = '[sources.web]\nwrite_keys = ["k"]\n'


def mistakes(text: str, environment: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        config_of(text, "turnout.toml", environment or {})
    return [str(problem) for problem in caught.value.problems]


def read(text: str, environment: Mapping[str, str] | None = None) -> Config:
    return config_of(text, "turnout.toml", environment or {})


def test_without_a_file_a_newcomer_sees_messages_in_the_terminal_and_keeps_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = load(None, {})
    assert config.path is None
    assert config.revealed_keys() == {"web": ("dev",)}
    assert config.sources["web"].destinations == ("console", "profiles", "archive")
    assert (config.collector.host, config.collector.port) == ("127.0.0.1", 8080)
    assert config.data == Path("data")
    assert config.destinations["archive"].settings["dir"] == "data/archive"
    assert config.profiles() == "sqlite:///data/profiles.db"
    assert config.log.url.embedded
    assert config.rq.url.embedded


def test_the_file_in_the_directory_is_read_unless_another_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "turnout.toml").write_text(MINIMAL)
    (tmp_path / "other.toml").write_text(MINIMAL.replace("web", "other"))
    assert list(load(None, {}).sources) == ["web"]
    assert list(load(Path("other.toml"), {}).sources) == ["other"]


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingsError, match=r"^nowhere\.toml: cannot be read: No such file"):
        load(Path("nowhere.toml"), {})


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"t\.toml: is not UTF-8"):
        load(tmp_path / "t.toml", {})


def test_text_that_is_not_toml_is_told_with_its_line() -> None:
    assert mistakes("[log]\nurl = redis://x\n") == ["turnout.toml line 2, column 7: is not TOML: Invalid value"]


def test_a_text_cut_short_is_told_at_the_end_of_the_document() -> None:
    assert mistakes('[log]\nurl = "x') == ["turnout.toml end of document: is not TOML: Unterminated string"]


def test_all_mistakes_are_told_at_once_each_with_its_place() -> None:
    text = """
        daat = "x"
        [collector]
        port = "80"
        limits = { depht = 3 }
        [log]
        durability = "fsnc"
        [rq]
        url = "http://rq"
        [worker.backoff]
        first = "soon"
        [sources.web]
        write_keys = ["k", ""]
        destinations = ["hok"]
        [sources."my web"]
        write_keys = ["k"]
        [sources.none]
        [destinations.hook]
        type = "webhok"
        [destinations.lines]
        type = "file"
        """
    found = mistakes(text)
    starts = [
        "turnout.toml daat: is not a setting; did you mean 'data'?",
        "turnout.toml [collector] port: must be a whole number",
        "turnout.toml [collector.limits] depht: is not a setting; did you mean 'depth'?",
        'turnout.toml [log] durability: must be one of "fsync", "everysec", "replica"',
        'turnout.toml [rq] url: must be "embedded", or a url such as',
        "turnout.toml [worker.backoff] first: must be a duration",
        "turnout.toml [sources.web] write_keys[1]: is empty",
        "turnout.toml [sources.web] destinations[0]: there is no destination 'hok'; there are hook, lines, profiles",
        'turnout.toml [sources."my web"]: a name is made of 1 to 64 letters',
        'turnout.toml [sources."my web"] write_keys[0]: is already a key of source web',
        "turnout.toml [sources.none] write_keys: is missing",
        "turnout.toml [destinations.hook] type: there is no destination of type 'webhok'; did you mean 'webhook'?",
        "turnout.toml [destinations.lines] path: is missing",
    ]
    for start in starts:
        assert [line for line in found if line.startswith(start)], (start, found)
    assert len(found) == len(starts)


def test_a_file_without_sources_has_no_use() -> None:
    assert mistakes("[collector]\nport = 1\n") == [
        "turnout.toml [sources]: there is no source: add a table such as [sources.web] with its write_keys"
    ]


@pytest.mark.parametrize("key", ["a b", "schlüssel", ":", "::", "x" * 201, "a\\nb"])
def test_a_key_that_would_not_travel_in_a_header_is_a_mistake(key: str) -> None:
    assert mistakes(f'[sources.web]\nwrite_keys = ["{key}"]')[0].startswith("turnout.toml [sources.web] write_keys[0]:")


def test_a_mistake_never_repeats_a_secret() -> None:
    text = '[sources.a]\nwrite_keys = ["hush hush"]\n[sources.b]\nwrite_keys = ["hush", "hush"]\n'
    assert not [line for line in mistakes(text) if "hush" in line]


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        ('["short"]', "[0]: must be 16 to 200 visible ASCII characters without a colon"),
        ('["sixteen:characters"]', "[0]: must be 16 to 200 visible ASCII characters without a colon"),
        ('["a-good-api-token-1", "the-write-key-of-web"]', "[1]: is a write key"),
        ('["a-good-api-token-1", "a-good-api-token-1"]', "[1]: is there twice"),
    ],
)
def test_a_token_of_the_api_is_long_and_no_write_key(tokens: str, words: str) -> None:
    [found] = mistakes(f'[sources.web]\nwrite_keys = ["the-write-key-of-web"]\n[api]\ntokens = {tokens}')
    assert found.startswith(f"turnout.toml [api] tokens{words}")
    assert "sixteen" not in found


def test_tokens_of_the_api_are_secrets() -> None:
    config = read(MINIMAL + '[api]\ntokens = ["${T}"]\nrate = 5\nspace = "shop"', {"T": "a-good-api-token-1"})
    assert [token.reveal() for token in config.api.tokens] == ["a-good-api-token-1"]
    assert "a-good" not in repr(config)
    assert (config.api.rate, config.api.space) == (5, "shop")


def test_a_source_may_have_several_keys() -> None:
    assert read('[sources.web]\nwrite_keys = ["new", "old"]').revealed_keys() == {"web": ("new", "old")}


def test_the_same_key_twice_in_one_source_is_a_mistake() -> None:
    assert mistakes('[sources.web]\nwrite_keys = ["k", "k"]') == [
        "turnout.toml [sources.web] write_keys[1]: is already a key of source web"
    ]


def test_keys_do_not_show() -> None:
    config = read('[sources.web]\nwrite_keys = ["hush"]')
    assert "hush" not in repr(config)


class TestEnvironment:
    def test_fills_any_text(self) -> None:
        text = '[sources.web]\nwrite_keys = ["${A}-${B}"]\n[destinations.f]\ntype = "file"\npath = "${DIR}/x"'
        config = read(text, {"A": "1", "B": "2", "DIR": "/srv/d"})
        assert config.revealed_keys() == {"web": ("1-2",)}
        assert config.destinations["f"].settings == {"path": "/srv/d/x"}

    def test_is_not_read_again_in_what_it_gave(self) -> None:
        config = read('[sources.web]\nwrite_keys = ["${A}"]', {"A": "${B}", "B": "no"})
        assert config.revealed_keys() == {"web": ("${B}",)}

    def test_a_doubled_sign_stands_for_itself(self) -> None:
        assert read('[sources.web]\nwrite_keys = ["$${A}$b"]').revealed_keys() == {"web": ("${A}$b",)}

    def test_what_is_missing_is_told_once_and_with_its_place(self) -> None:
        text = MINIMAL + '[destinations.hook]\ntype = "webhook"\nurl = "${HOOK}"\nheaders = { a = "x${NO}" }'
        assert mistakes(text) == [
            "turnout.toml [destinations.hook] url: the environment variable HOOK is not set",
            "turnout.toml [destinations.hook.headers] a: the environment variable NO is not set",
        ]

    @pytest.mark.parametrize("text", ["${}", "${A", "${1}", "${A-b}"])
    def test_what_is_no_name_is_a_mistake(self, text: str) -> None:
        found = mistakes(f'[sources.web]\nwrite_keys = ["{text}"]', {"A": "a"})
        assert found[0].startswith(
            "turnout.toml [sources.web] write_keys[0]: has a ${ that names no environment variable"
        )


class TestDestinationsOfASource:
    TEXT = """
        [destinations.a]
        type = "console"
        [destinations.b]
        type = "console"
        [sources.web]
        write_keys = ["k"]
        """

    def of(self, more: str, extra: str = "") -> tuple[str, ...]:
        return read(f"{self.TEXT}\n{more}\n{extra}").sources["web"].destinations

    def test_are_all_unless_it_says_otherwise(self) -> None:
        assert self.of("") == ("a", "b", "profiles", "archive")

    def test_are_those_it_lists_and_the_stores(self) -> None:
        assert self.of('destinations = ["b", "b"]') == ("b", "profiles", "archive")
        assert self.of("destinations = []") == ("profiles", "archive")
        assert self.of('destinations = ["archive", "profiles", "a"]') == ("a", "profiles", "archive")

    def test_leave_a_store_out_when_told_to(self) -> None:
        assert self.of("archive = false") == ("a", "b", "profiles")
        assert self.of("profiles = false") == ("a", "b", "archive")

    def test_leave_out_what_is_switched_off(self) -> None:
        off = "[destinations.c]\ntype = 'console'\nenabled = false"
        assert self.of("", off) == ("a", "b", "profiles", "archive")
        assert self.of("", "[destinations.archive]\nenabled = false") == ("a", "b", "profiles")
        assert self.of("", "[destinations.profiles]\nenabled = false") == ("a", "b", "archive")

    def test_cannot_be_none(self) -> None:
        with pytest.raises(SettingsError, match=r"\[sources.web\]: has no destination that is switched on"):
            self.of("archive = false\nprofiles = false\ndestinations = []")

    @pytest.mark.parametrize("store", ["archive", "profiles"])
    def test_cannot_both_have_and_not_have_a_store(self, store: str) -> None:
        with pytest.raises(SettingsError, match=rf"\[sources.web\] {store}: is false, yet"):
            self.of(f'{store} = false\ndestinations = ["{store}"]')


def test_the_archive_lies_in_the_data_directory_unless_configured_otherwise(tmp_path: Path) -> None:
    elsewhere = MINIMAL + "[destinations.archive]\ndir = '/srv/archive'"
    assert read(MINIMAL).destinations["archive"].settings["dir"] == "data/archive"
    assert read('data = "d"\n' + MINIMAL).destinations["archive"].settings["dir"] == "d/archive"
    assert read(elsewhere).destinations["archive"].settings["dir"] == "/srv/archive"
    named = config_of(MINIMAL, None, {}, data=tmp_path)
    assert (named.data, named.destinations["archive"].settings["dir"]) == (tmp_path, str(tmp_path / "archive"))


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ("", "sqlite:///data/profiles.db"),
        ("[database]\nurl = 'postgresql://db/turnout'", "postgresql://db/turnout"),
        ("[destinations.profiles]\nurl = 'postgresql://db/people'", "postgresql://db/people"),
        ("[destinations.profiles]\nurl = 'embedded'", "sqlite:///data/profiles.db"),
        ("[destinations.profiles]\nenabled = false", None),
        (
            "[destinations.profiles]\ntype = 'console'\n[destinations.people]\ntype = 'profiles'",
            "sqlite:///data/profiles.db",
        ),
    ],
)
def test_users_and_groups_lie_where_the_database_is_unless_configured_otherwise(more: str, place: str | None) -> None:
    assert read(MINIMAL + more).profiles() == place


def test_rq_needs_another_server_than_the_log() -> None:
    text = MINIMAL + '[log]\nurl = "redis://one/0"\n[rq]\nurl = "redis://one:6379/1"'
    assert mistakes(text)[0].startswith("turnout.toml [rq] url: is the log's server")


def test_a_worker_gets_no_write_keys() -> None:
    config = read('[sources.web]\nwrite_keys = ["hush"]\n[worker]\nprocesses = 3')
    delivery = config.for_workers()
    assert not isinstance(delivery, Config)
    assert delivery.worker.processes == 3
    assert delivery.sources == config.sources
    assert "hush" not in str(msgspec.structs.asdict(delivery))


def test_what_a_source_asks_is_checked() -> None:
    text = """
        [collector]
        trusted_proxies = ["10.0.0.0/8", "10.0.0.1/8", "lb.internal"]
        [sources.web]
        write_keys = ["k"]
        origins = ["*", "https://shop.example/", ""]
        types = []
        ip = "hide"
        rate = { messages = 0 }
        """
    starts = [
        "turnout.toml [collector] trusted_proxies[1]: must be an address or a network such as",
        "turnout.toml [collector] trusted_proxies[2]: must be an address or a network such as",
        "turnout.toml [sources.web] origins[1]: is an address, not an origin: write 'https://shop.example'",
        "turnout.toml [sources.web] origins[2]: ",
        "turnout.toml [sources.web] types: ",
        'turnout.toml [sources.web] ip: must be one of "keep", "cut", "drop"',
        "turnout.toml [sources.web.rate] messages: ",
    ]
    found = mistakes(text)
    assert len(found) == len(starts)
    for start in starts:
        assert [line for line in found if line.startswith(start)], (start, found)


def test_the_version_follows_the_text_and_not_the_secrets() -> None:
    text = '[sources.web]\nwrite_keys = ["${K}"]'
    assert read(text, {"K": "a"}).version == read(text, {"K": "b"}).version
    assert read(text, {"K": "a"}).version != read(MINIMAL).version


def test_the_example_is_right_and_holds_every_setting_at_its_default() -> None:
    text = (ROOT / "turnout.example.toml").read_text()
    config = config_of(text, "turnout.example.toml", {name: name for name in re.findall(r"\$\{(\w+)\}", text)})
    assert {"web", "backend"} == set(config.sources)
    default = Config()
    for table in ("log", "rq", "worker", "collector", "database", "story", "alarms", "api", "data"):
        assert getattr(config, table) == getattr(default, table)
    written = set(re.findall(r"^#? ?(\w+) *=", text, re.MULTILINE))
    assert {name.rpartition(".")[2] for name in settings_of(File)} - {"sources", "destinations"} <= written | TABLES


COLLECTORS = {"collector", "limits", "connections", "oauth"}
TABLES = COLLECTORS | {"log", "rq", "worker", "backoff", "database", "story", "alarms", "api"}


def settings_of(shape: type[msgspec.Struct], before: str = "") -> Iterator[str]:
    for field in msgspec.structs.fields(shape):
        yield before + field.encode_name
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from settings_of(field.type, f"{before}{field.encode_name}.")


def documented() -> dict[str, set[str]]:
    """The settings that docs/configuration.md lists under each heading."""
    found: dict[str, set[str]] = {}
    heading = ""
    for line in (ROOT / "docs" / "configuration.md").read_text().splitlines():
        if line.startswith("##"):
            heading = line.strip("#` []")
        elif (match := re.match(r"\| `(\w+)` \|", line)) and heading:
            found.setdefault(heading, set()).add(match[1])
    return found


@pytest.mark.parametrize(
    ("heading", "shape"),
    [
        ("Top level", File),
        ("sources.NAME", SourceTable),
        ("sources.NAME.openpanel", OpenPanel),
        ("destinations.NAME", DestinationHead),
        ("collector", type(Config().collector)),
        ("sources.NAME.oauth", OAuthTable),
        ("collector.oauth", OAuthServer),
        ("collector.limits", type(Config().collector.limits)),
        ("collector.connections", type(Config().collector.connections)),
        ("log", type(Config().log)),
        ("rq", type(Config().rq)),
        ("worker", type(Config().worker)),
        ("worker.backoff", type(Config().worker.backoff)),
        ("database", type(Config().database)),
        ("story", type(Config().story)),
        ("alarms", type(Config().alarms)),
        ("api", type(Config().api)),
    ],
)
def test_the_documentation_names_the_settings_that_there_are(heading: str, shape: Any) -> None:
    tables = TABLES | {"sources", "destinations"} if shape is File else set()
    assert documented()[heading] == {field.encode_name for field in msgspec.structs.fields(shape)} - tables


def test_the_documentation_shows_the_built_in_configuration() -> None:
    assert BUILT_IN.strip() in (ROOT / "docs" / "configuration.md").read_text()
