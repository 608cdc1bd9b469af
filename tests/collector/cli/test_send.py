"""`turnout send`."""

import base64
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector import run
from tests.collector.cli.conftest import Turnout
from tests.receiver import Answer, Received, Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        listening.always(Answer(body=b'{"success":true}'))
        yield listening


def key_of(request: Received) -> str:
    return base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()


def to(receiver: Receiver) -> tuple[str, ...]:
    return ("--url", receiver.url, "--key", "k1")


def test_a_track_message_is_made_of_words(turnout: Turnout, receiver: Receiver) -> None:
    words = ("track", "Signed Up", "--user", "u1", "--property", "plan=pro=1", "--property", 'seats:={"n": 3}')
    ended = turnout("send", *words, *to(receiver))
    assert (ended.code, ended.out) == (0, '200 {"success":true}\n')
    (request,) = receiver.requests
    assert (request.method, request.path, key_of(request)) == ("POST", "/v1/track", "k1:")
    assert request.json() == {
        "type": "track",
        "userId": "u1",
        "event": "Signed Up",
        "properties": {"plan": "pro=1", "seats": {"n": 3}},
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["identify", "-u", "u", "-T", "email=a@b.c"],
            {"type": "identify", "userId": "u", "traits": {"email": "a@b.c"}},
        ),
        (["group", "acme", "-u", "u"], {"type": "group", "userId": "u", "groupId": "acme"}),
        (["page", "Home", "-a", "x"], {"type": "page", "anonymousId": "x", "name": "Home"}),
        (["screen", "-u", "u", "-a", "x"], {"type": "screen", "userId": "u", "anonymousId": "x"}),
        (["alias", "old", "-u", "new"], {"type": "alias", "userId": "new", "previousId": "old"}),
    ],
)
def test_every_type_has_its_words(
    turnout: Turnout, receiver: Receiver, words: list[str], message: dict[str, object]
) -> None:
    assert turnout("send", *words, *to(receiver)).code == 0
    (request,) = receiver.requests
    assert request.path == f"/v1/{words[0]}"
    assert request.json() == message


def test_a_message_of_nobody_gets_a_new_anonymous_id(turnout: Turnout, receiver: Receiver) -> None:
    turnout("send", "track", "A", *to(receiver))
    turnout("send", "track", "A", *to(receiver))
    first, second = (request.json()["anonymousId"] for request in receiver.requests)
    assert first != second


def test_an_answer_that_is_no_success_is_shown_and_ends_with_1(turnout: Turnout, receiver: Receiver) -> None:
    receiver.then(Answer(400, body=b'{"success":false}'))
    ended = turnout("send", "track", "A", *to(receiver))
    assert (ended.code, ended.out) == (1, '400 {"success":false}\n')


def test_a_batch_taken_in_part_ends_with_1(turnout: Turnout, receiver: Receiver) -> None:
    receiver.then(Answer(200, body=b'{"success":true,"accepted":1,"rejected":[{"index":1}]}'))
    Path("two.json").write_text('[{"type": "track"}, {"type": "track"}]')
    assert turnout("send", "--json", "two.json", *to(receiver)).code == 1


@pytest.mark.parametrize(
    ("text", "path", "body"),
    [
        ('{"type": "page", "userId": "u"}', "/v1/page", {"type": "page", "userId": "u"}),
        ('{"batch": [{"type": "page"}]}', "/v1/batch", {"batch": [{"type": "page"}]}),
        ('[{"type": "page"}]', "/v1/batch", {"batch": [{"type": "page"}]}),
        ('{"type": "page"}\n\n{"type": "track"}\n', "/v1/batch", {"batch": [{"type": "page"}, {"type": "track"}]}),
    ],
)
def test_a_file_may_hold_one_message_or_many(
    turnout: Turnout, receiver: Receiver, text: str, path: str, body: object
) -> None:
    Path("messages.json").write_text(text)
    assert turnout("send", "--json", "messages.json", *to(receiver)).code == 0
    (request,) = receiver.requests
    assert (request.path, request.json()) == (path, body)


def test_a_long_file_becomes_several_requests(turnout: Turnout, receiver: Receiver) -> None:
    Path("many.jsonl").write_text('{"type":"track"}\n' * 250)
    assert turnout("send", "--json", "many.jsonl", *to(receiver)).code == 0
    assert [len(request.json()["batch"]) for request in receiver.requests] == [100, 100, 50]


def test_a_dash_is_standard_input(turnout: Turnout, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"type":"track"}')))
    assert turnout("send", "--json", "-", *to(receiver)).code == 0
    assert receiver.requests[0].json() == {"type": "track"}


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["track", "A", "--property", "plan"], "'plan' is neither key=text nor key:=JSON"),
        (["track", "A", "--property", "n:=x"], "'n:=x': what follows := is not JSON"),
        (["identify", "A"], "identify takes no name: 'A'"),
        (["track", "A", "--json", "x"], "send needs either a type of message or --json FILE"),
        (["--json", "nowhere.json"], "nowhere.json: No such file or directory"),
        (["track", "A", "--source", "other"], "there is no source 'other'; there are web"),
        (["track", "A", "--url", "ftp://x", "--key", "k"], "ftp://x is no http or https url"),
    ],
)
def test_what_cannot_be_sent_ends_with_2_and_says_why(turnout: Turnout, words: list[str], error: str) -> None:
    ended = turnout("send", *words)
    assert (ended.code, ended.err) == (2, f"turnout: {error}\n")


@pytest.mark.parametrize("text", ["{}", "3", '"x"', "[1", '{"type": "track"}\nx'])
def test_a_file_without_messages_ends_with_2(turnout: Turnout, text: str) -> None:
    Path("odd.json").write_text(text)
    assert turnout("send", "--json", "odd.json", "--url", "http://127.0.0.1:1", "--key", "k").code == 2


def test_without_a_url_it_goes_to_the_turnout_that_runs_here(turnout: Turnout, receiver: Receiver) -> None:
    here = Path("data")
    here.mkdir()
    import os

    run.write(
        here,
        run.Run(pid=os.getpid(), port=1, url=receiver.url, log_url="", rq_url="", config_version=""),
    )
    assert turnout("send", "track", "A").code == 0
    assert key_of(receiver.requests[0]) == "dev:"


def test_nobody_there_is_told_in_a_line(turnout: Turnout) -> None:
    ended = turnout("send", "track", "A", "--url", "http://127.0.0.1:1")
    assert ended.code == 1
    assert ended.err.startswith("turnout: no answer from http://127.0.0.1:1: ")


def test_what_it_made_is_json(turnout: Turnout, receiver: Receiver) -> None:
    turnout("send", "track", 'a "quoted" ü', *to(receiver))
    assert json.loads(receiver.requests[0].body)["event"] == 'a "quoted" ü'
