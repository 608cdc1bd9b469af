"""`turnout dead`: what it shows, what it sends again, what it lets go."""

import csv
import io
import json
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests import databases
from tests.collector.cli import offline
from tests.collector.cli.conftest import Turnout
from tests.postgres import Postgres
from tests.receiver import Answer, Receiver
from tests.running import Running, running
from tests.waiting import eventually
from tests.worker.letters.letters import bury, dead_count, letter, sent_again
from tests.worker.refusals.refusals import refusal, refuse
from worker.embedded import Server
from worker.letters import resend

NOW = int(time.time() * 1000)


@pytest.fixture
def log(turnout: Turnout, tmp_path: Path, log_process: Server, rq_process: Server) -> Iterator["redis.Redis"]:
    """An empty log that the commands reach."""
    offline.configured(tmp_path, log_process, rq_process)
    client = offline.emptied(log_process)
    yield client
    client.close()


def test_a_letter_that_died_this_moment_is_listed_with_its_reason(turnout: Turnout, log: redis.Redis) -> None:
    bury(log, letter("m-1", diedAtMs=NOW))
    shown = turnout("dead", "list")
    assert shown.code == 0
    assert shown.lines[0].split() == ["id", "died", "source", "destination", "message", "reason"]
    assert "m-1" in shown.out
    assert "answered 400: no" in shown.out


def test_lines_fit_the_terminal_however_long_the_reason(turnout: Turnout, log: redis.Redis) -> None:
    bury(log, letter("m" * 100, reason="answered 400: " + "very " * 200, source="web"))
    for command in (["dead", "list"], ["dead", "list", "--group"]):
        assert all(len(line) <= 80 for line in turnout(*command).lines)


def test_json_gives_each_letter_whole_on_a_line(turnout: Turnout, log: redis.Redis) -> None:
    bury(log, letter("m-1"), letter("m-2", number=1))
    newest, older = map(json.loads, turnout("dead", "list", "--json").lines)
    assert (newest["messageId"], older["messageId"]) == ("m-2", "m-1")
    assert older["message"]["event"] == "E"
    assert older["trail"][0]["reason"] == "answered 400: no"


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--destination", "hook"], ["m-3", "m-2", "m-1"]),
        (["--destination", "other"], ["m-4"]),
        (["--code", "500"], ["m-2"]),
        (["--user", "ann"], ["m-3"]),
        (["--event", "Paid"], ["m-1"]),
        (["--message-id", "m-2"], ["m-2"]),
        (["--since", "1h"], ["m-3"]),
        (["--until", "2023-11-15"], ["m-4", "m-2", "m-1"]),
        (["-n", "1"], ["m-3"]),
        (["--state", "retried"], []),
        (["--source", "web", "--code", "400", "--user", "u1"], ["m-4", "m-1"]),
    ],
)
def test_options_pick_letters(turnout: Turnout, log: redis.Redis, options: list[str], names: list[str]) -> None:
    bury(
        log,
        letter("m-1", number=1, event="Paid"),
        letter("m-2", number=2, code="500"),
        letter("m-3", number=3, user="ann", diedAtMs=NOW),
        letter("m-4", number=4, destination="other"),
    )
    found = [json.loads(line)["messageId"] for line in turnout("dead", "list", "--json", *options).lines]
    assert found == names or (not names and found == [])


def test_letters_are_counted_by_cause(turnout: Turnout, log: redis.Redis) -> None:
    for number in range(3):
        bury(log, letter(f"m-{number}", number=number, reason=f'answered 400: user "u{number}" has {number} bills'))
    bury(log, letter("m-9", number=9, reason="answered 500: oh", code="500"))
    most, least = map(json.loads, turnout("dead", "list", "--group", "--json").lines)
    assert (most["letters"], most["cause"]) == (3, 'answered 400: user "…" has # bills')
    assert (least["letters"], least["code"]) == (1, "500")
    assert most["firstDiedAtMs"] < most["lastDiedAtMs"]
    shown = turnout("dead", "list", "--group")
    assert most["causeId"] in shown.out
    assert 'answered 400: user "…" has # bills' in shown.out
    picked = turnout("dead", "list", "--cause", most["causeId"], "--json")
    assert len(picked.lines) == 3


def test_one_is_shown_with_everything_that_is_known(turnout: Turnout, log: redis.Redis) -> None:
    bury(log, letter("m-1", request="POST /hook HTTP/1.1\nx: 1", answer="HTTP/1.1 400\n\nno such field"))
    shown = turnout("dead", "show", "1").out
    for words in ("m-1", "POST /hook", "no such field", "answered 400: no", '"event": "E"', "attempts", "web to hook"):
        assert words in shown


def test_what_would_steer_the_terminal_is_not_shown(turnout: Turnout, log: redis.Redis) -> None:
    bury(log, letter("m-1", reason="\x1b[2J", answer="\x1b[31mred"))
    assert "\x1b" not in turnout("dead", "list").out + turnout("dead", "show", "1").out


def test_an_unknown_number_is_trouble(turnout: Turnout, log: redis.Redis) -> None:
    for command in (
        ["show", "7"],
        ["retry", "7"],
        ["edit", "7", "--set", "event=B"],
        ["discard", "7", "--reason", "x"],
    ):
        ended = turnout("dead", *command)
        assert (ended.code, ended.err) == (1, "turnout: there is no dead letter 7\n")


def test_one_sent_again_waits_and_is_no_longer_dead(turnout: Turnout, log: redis.Redis) -> None:
    bury(log, letter("m-1"))
    assert turnout("dead", "retry", "1").out == "sent 1 message again\n"
    assert sent_again(log) == ["m-1"]
    assert dead_count(log) == 0
    assert turnout("dead", "list").out == "there are no such dead letters\n"
    assert json.loads(turnout("dead", "list", "--state", "all", "--json").out)["state"] == "retried"


def test_nobody_is_asked_about_nothing(turnout: Turnout) -> None:
    assert turnout("dead", "discard", "--all", "--reason", "x").out == "discarded 0 letters\n"


def test_sending_it_again_twice_says_so(turnout: Turnout, log: redis.Redis) -> None:
    bury(log, letter("m-1"))
    turnout("dead", "retry", "1")
    again = turnout("dead", "retry", "1")
    assert again.out == "sent 0 messages again\n"
    assert "kept 1 letter" in again.err
    assert again.code == 1
    assert sent_again(log) == ["m-1"]


def test_a_group_is_sent_again(turnout: Turnout, log: redis.Redis) -> None:
    bury(log, letter("m-1"), letter("m-2", number=1, code="500", reason="oh"))
    assert turnout("dead", "retry", "--code", "500", "--yes", "--json").out == '{"sent":1,"kept":0}\n'
    assert sent_again(log) == ["m-2"]


def test_many_are_not_sent_again_without_a_yes(turnout: Turnout, log: redis.Redis) -> None:
    bury(log, letter("m-1"))
    ended = turnout("dead", "retry", "--all")
    assert ended.code == 2
    assert "say --yes" in ended.err
    assert sent_again(log) == []


def test_nobody_means_all_by_saying_nothing(turnout: Turnout, log: redis.Redis) -> None:
    for command in (["retry"], ["discard", "--reason", "x"]):
        assert turnout("dead", *command).code == 2
    assert turnout("dead", "retry", "1", "--all").code == 2


def test_letters_of_a_destination_that_is_gone_are_kept(turnout: Turnout, log: redis.Redis) -> None:
    bury(log, letter("m-1", destination="gone"))
    ended = turnout("dead", "retry", "--all", "--yes")
    assert ended.out == "sent 0 messages again\n"
    assert "its source does not go there" in ended.err


def test_a_value_is_set_and_the_message_keeps_its_id(turnout: Turnout, log: redis.Redis) -> None:
    bury(log, letter("m-1"))
    edited = turnout(
        "dead", "edit", "1", "--set", "properties.plan=pro", "--set", "properties.n:=3", "--set", "messageId=x"
    )
    assert edited.code == 0
    shown = json.loads(turnout("dead", "show", "1", "--json").out)
    assert shown["edited"] is True
    assert shown["message"]["properties"] == {"plan": "pro", "n": 3}
    assert shown["message"]["messageId"] == "m-1"


def test_an_edit_that_breaks_the_message_is_refused_with_every_reason(turnout: Turnout, log: redis.Redis) -> None:
    bury(log, letter("m-1"))
    ended = turnout("dead", "edit", "1", "--set", "event:=3", "--set", "properties=no")
    assert ended.code == 2
    assert '"event" should be' in ended.err
    assert '"properties" should be' in ended.err
    assert json.loads(turnout("dead", "show", "1", "--json").out)["edited"] is False


def test_a_message_is_edited_in_the_editor(
    turnout: Turnout, log: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bury(log, letter("m-1"))
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i \'s/"event": "E"/"event": "Better"/\' "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.delenv("VISUAL", raising=False)
    assert turnout("dead", "edit", "1").code == 0
    shown = json.loads(turnout("dead", "show", "1", "--json").out)
    assert shown["message"]["event"] == shown["event"] == "Better"


def test_an_edit_without_a_change_changes_nothing(
    turnout: Turnout, log: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    bury(log, letter("m-1"))
    monkeypatch.setenv("VISUAL", "true")
    assert turnout("dead", "edit", "1").out == "nothing was changed\n"


def test_a_file_takes_the_place_of_the_message(turnout: Turnout, log: redis.Redis, tmp_path: Path) -> None:
    bury(log, letter("m-1"))
    (tmp_path / "better.json").write_text('{"type": "track", "event": "F", "userId": "ann", "messageId": "other"}')
    assert turnout("dead", "edit", "1", "--file", "better.json").code == 0
    shown = json.loads(turnout("dead", "show", "1", "--json").out)
    assert (shown["message"]["event"], shown["message"]["messageId"], shown["user"]) == ("F", "m-1", "ann")
    assert shown["message"]["receivedAt"] == "2024-02-29T12:00:00.000Z"


def test_discarded_letters_keep_the_reason_and_cost_no_question_when_named(turnout: Turnout, log: redis.Redis) -> None:
    bury(log, letter("m-1"), letter("m-2", number=1))
    assert turnout("dead", "discard", "1", "--reason", "test data").out == "discarded 1 letter\n"
    shown = json.loads(turnout("dead", "list", "--state", "discarded", "--json").out)
    assert (shown["messageId"], shown["discardReason"]) == ("m-1", "test data")
    assert turnout("dead", "discard", "--all", "--reason", "x").code == 2
    assert turnout("dead", "discard", "--all", "--reason", "x", "--yes", "--json").out == '{"discarded":1}\n'


def test_an_export_gives_every_letter_a_line(turnout: Turnout, log: redis.Redis, tmp_path: Path) -> None:
    bury(log, *(letter(f"m-{n}", number=n) for n in range(5)))
    lines = turnout("dead", "export").lines
    assert [json.loads(line)["messageId"] for line in lines] == ["m-4", "m-3", "m-2", "m-1", "m-0"]
    assert turnout("dead", "export", "-o", "letters.jsonl").out == ""
    file = tmp_path / "letters.jsonl"
    assert file.read_text().splitlines() == lines
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("begin", ["=", "+", "-", "@"])
def test_a_spreadsheet_runs_nothing_of_what_is_exported(
    turnout: Turnout, log: redis.Redis, tmp_path: Path, begin: str
) -> None:
    bury(log, letter("m-1", event=f'{begin}cmd|"/c calc"!A1', reason="two\nlines, and a comma"))
    turnout("dead", "export", "--format", "csv", "-o", "letters.csv")
    (row,) = csv.DictReader(io.StringIO((tmp_path / "letters.csv").read_text(), newline=""))
    assert row["event"] == f'\'{begin}cmd|"/c calc"!A1'
    assert row["reason"] == "two\nlines, and a comma"
    assert json.loads(row["message"])["messageId"] == "m-1"


def test_with_the_log_away_what_is_in_the_database_is_shown_with_a_warning(
    turnout: Turnout, log: redis.Redis, tmp_path: Path, log_process: Server, rq_process: Server
) -> None:
    bury(log, letter("m-1"))
    turnout("dead", "list")
    text = (tmp_path / "turnout.toml").read_text()
    (tmp_path / "turnout.toml").write_text(text.replace(log_process.url, f"unix://{tmp_path}/nobody"))
    shown = turnout("dead", "list")
    assert shown.code == 0
    assert "m-1" in shown.out
    assert "may be missing" in shown.err
    assert turnout("dead", "retry", "1").code == 1


def test_a_database_that_cannot_be_opened_is_trouble_in_one_line(
    turnout: Turnout, log: redis.Redis, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "turnout.db").write_text("no database " * 100)
    ended = turnout("dead", "list")
    assert ended.code == 1
    assert ended.err == ("turnout: the database at sqlite:///data/turnout.db cannot be used: file is not a database\n")


def test_a_log_that_is_full_is_named_and_the_letters_are_sent_later(
    turnout: Turnout, log: redis.Redis, tmp_path: Path
) -> None:
    bury(log, letter("m-1"))
    turnout("dead", "list")
    log.config_set("maxmemory", 1)
    try:
        ended = turnout("dead", "retry", "1")
    finally:
        log.config_set("maxmemory", 0)
    assert ended.code == 1
    assert "is full" in ended.err
    with databases.opened(databases.in_file(tmp_path / "data")) as engine:
        assert resend.finish(log, engine, partitions=4, now_ms=NOW + 3_600_000) == 1
    assert sent_again(log) == ["m-1"]


def test_the_database_may_be_a_server(
    turnout: Turnout, log: redis.Redis, tmp_path: Path, postgres: Postgres, log_process: Server, rq_process: Server
) -> None:
    with databases.in_schema(postgres) as config:
        offline.configured(tmp_path, log_process, rq_process, f'[database]\nurl = "{config.database.url!s}"\n')
        bury(log, letter("m-1"))
        assert turnout("dead", "retry", "--all", "--yes").out == "sent 1 message again\n"
        assert json.loads(turnout("dead", "list", "--state", "all", "--json").out)["state"] == "retried"
        refuse(log, refusal({"event": "A"}))
        assert turnout("quarantine", "release", "1", "--set", "userId=u").code == 0
        assert turnout("check").out.count("ok   database: postgresql://***@") == 1
    assert not (tmp_path / "data" / "turnout.db").exists()


def test_a_moment_that_is_none_is_wrong_usage(turnout: Turnout, log: redis.Redis) -> None:
    ended = turnout("dead", "list", "--since", "yesterday")
    assert ended.code == 2
    assert "neither a length of time" in ended.err


HOOK = """
[sources.web]
write_keys = ["a-long-write-key"]

[destinations.hook]
type = "webhook"
url = "{url}"
allow_private = true
"""


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as found:
        found.always(Answer(400, body=b"no such field"))
        yield found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[Running]:
    """A running Turnout whose webhook takes nothing, and which has refused a message."""
    directory = tmp_path_factory.mktemp("kept")
    key = "a-long-write-key"
    with running(directory, HOOK.format(url=receiver.url), write_key=key) as found:
        assert found.post("/v1/track", {"userId": "u1", "event": "A", "messageId": "m-1"})[0] == 200
        bad = {"event": "B", "writeKey": "a-long-write-key"}
        assert found.post("/v1/track", bad)[0] == 400
        eventually(lambda: found.account("web", "hook")["dead"] == 1, what="the webhook's refusal was settled")
        yield found


def test_a_message_that_a_webhook_refused_is_kept_whole(whole: Running) -> None:
    (found,) = [json.loads(line) for line in whole.command("dead", "list", "--json").stdout.splitlines()]
    assert (found["destination"], found["attempts"], found["code"]) == ("hook", 1, "400")
    assert "no such field" in found["reason"]
    assert found["message"]["event"] == "A"


def test_a_refused_message_is_listed_with_what_is_wrong_and_without_its_key(whole: Running) -> None:
    (record,) = [json.loads(line) for line in whole.command("quarantine", "list", "--json").stdout.splitlines()]
    assert json.loads(record["raw"]) == {"event": "B", "writeKey": "***"}
    assert record["violations"][0]["code"] == "no_user_anon_id"
    assert "/v1/track" in whole.command("quarantine", "list").stdout


def test_letters_sent_again_arrive_once_the_destination_takes_them(tmp_path: Path) -> None:
    with Receiver() as receiver:
        receiver.always(Answer(400, body=b"no such field"))
        with running(tmp_path, HOOK.format(url=receiver.url), write_key="a-long-write-key") as found:
            for number in range(5):
                assert found.post("/v1/track", {"userId": "u1", "event": "A", "messageId": f"m-{number}"})[0] == 200
            eventually(lambda: found.account("web", "hook")["dead"] == 5, what="all died")
            assert found.command("dead", "retry", "--all", "--yes").stdout == "sent 5 messages again\n"
            eventually(lambda: found.account("web", "hook")["dead"] == 5, what="all died again")
            assert found.command("dead", "list", "--json").stdout.count('"retries":1') == 5
            receiver.always(Answer(200))
            assert found.command("dead", "retry", "--all", "--yes").stdout == "sent 5 messages again\n"
            eventually(lambda: found.account("web", "hook")["delivered"] == 5, what="all were delivered")
            account = found.account("web", "hook")
            assert (account["received"], account["waiting"], account["dead"]) == (5, 0, 0)
            assert found.command("dead", "list").stdout == "there are no such dead letters\n"


def test_nothing_kept_is_said_in_words(turnout: Turnout, log: redis.Redis) -> None:
    assert turnout("dead", "list").out == "there are no such dead letters\n"
    assert turnout("quarantine", "list").out == "nothing of that kind is in quarantine\n"
