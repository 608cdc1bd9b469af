"""Settings are read whole, and every mistake in them is told at once."""

import pickle
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from destinations.settings import Duration, Secret, describe, hide, read_table


class Log(msgspec.Struct, frozen=True, kw_only=True):
    url: str
    window: Duration = Duration(86_400)
    port: Annotated[int, Meta(ge=1, le=65_535)] = 6379


class Source(msgspec.Struct, frozen=True):
    key: Secret


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    log: Log
    sources: dict[str, Source] = {}
    rules: list[Source] = []
    mode: Annotated[Literal["POST", "PUT"], Meta(description="How.")] = "POST"
    names: list[str] = []
    wait: Annotated[Duration, Meta(ge=1)] | None = None


def problems(table: dict[str, Any]) -> list[str]:
    return [str(problem) for problem in read_table(Whole, table, "turnout.toml")[1]]


def test_a_right_table_becomes_the_struct() -> None:
    table = {"log": {"url": "u", "window": "90s"}, "sources": {"web": {"key": "k"}}, "rules": [{"key": "r"}], "wait": 2}
    whole, none = read_table(Whole, table, "turnout.toml")
    assert none == ()
    assert whole == Whole(
        log=Log(url="u", window=Duration(90)),
        sources={"web": Source(Secret("k"))},
        rules=[Source(Secret("r"))],
        wait=Duration(2),
    )


def test_all_mistakes_are_told_at_once_each_with_its_place() -> None:
    table = {
        "log": {"urll": "u", "window": "24x", "port": 0},
        "sources": {"web": {"kee": "k"}, "a b": 3},
        "rules": [{"key": "fine"}, {"key": 5}],
        "mode": "post",
        "names": ["fine", 1],
        "wait": "10ms",
        "sourcse": {},
    }
    assert problems(table) == [
        "turnout.toml sourcse: is not a setting; did you mean 'sources'?",
        "turnout.toml [log] urll: is not a setting; did you mean 'url'?",
        "turnout.toml [log] url: is missing: expected text",
        'turnout.toml [log] window: must be a duration such as "250ms", "10s", "5m", "24h" or "7d"',
        "turnout.toml [log] port: must be a whole number >= 1",
        "turnout.toml [sources.web] kee: is not a setting; did you mean 'key'?",
        "turnout.toml [sources.web] key: is missing: expected text",
        'turnout.toml [sources."a b"]: must be a table',
        "turnout.toml [rules[1]] key: must be text",
        'turnout.toml mode: must be one of "POST", "PUT"; did you mean \'POST\'?',
        "turnout.toml names[1]: must be text",
        "turnout.toml wait: must be a number >= 1.0",
    ]


@pytest.mark.parametrize("log", [None, [], "text", 5])
def test_a_table_that_is_none_is_told(log: object) -> None:
    assert problems({"log": log}) == ["turnout.toml [log]: must be a table"]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("250ms", 0.25), ("10s", 10), ("1.5m", 90), ("24h", 86_400), ("7d", 604_800), (3, 3), (0.5, 0.5), (" 2 s ", 2)],
)
def test_durations_are_written_in_the_usual_units(written: object, seconds: float) -> None:
    assert Duration.read(written).seconds == seconds


@pytest.mark.parametrize("written", ["", "10", "-1s", "1y", "s", True, None, -1, float("nan"), float("inf"), []])
def test_what_is_no_duration_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="must be"):
        Duration.read(written)


@pytest.mark.parametrize(("seconds", "text"), [(0, "0s"), (0.25, "250ms"), (90, "90s"), (3_600, "1h"), (86_400, "1d")])
def test_a_duration_is_shown_as_it_is_written(seconds: float, text: str) -> None:
    assert str(Duration(seconds)) == repr(Duration(seconds)) == f"{Duration(seconds)}" == text


def test_a_secret_shows_itself_to_who_asks_only() -> None:
    secret = Secret("planted")
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>5}", str(msgspec.json.encode(secret, enc_hook=hide))]
    assert not any("planted" in text for text in shown)
    assert secret.reveal() == "planted"


def test_a_secret_is_not_pickled() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret("planted"))


def test_settings_describe_themselves() -> None:
    fields = {field.name: field for field in describe(Whole)}
    assert fields["log"].required
    assert fields["mode"].expected == 'one of "POST", "PUT"'
    assert fields["mode"].description == "How."
    assert describe(Source)[0].secret
