"""`turnout where`: how a story is told."""

import json

import msgspec
import pytest

from collector.cli.table import WIDTH
from collector.cli.where import lines
from destinations.outcome import Exchange
from tests.collector.cli.conftest import Turnout
from worker.stories.story import Copy, Journey, LetterSeen, Refused, Story
from worker.stories.told import Step

AT = 1_709_208_000_000
SAID = Exchange("POST https://hook.example.com/in\nAuthorization: ***", "503\nbusy", 7)

COPY = Copy(
    source="web",
    line="web",
    partition=3,
    position="1709208000000-0/1",
    found_in=("the archive",),
    message=msgspec.Raw(b'{"event":"E"}'),
    received_at="2024-02-29T12:00:00.000Z",
    timestamp="2024-02-29T11:59:59.000Z",
    type="track",
    event="Order Completed",
    user="u1",
    notes=({"path": "timestamp", "rule": "not_a_date", "was": "yesterday"},),
    journeys=(
        Journey("archive", "delivered", (Step("delivered", 1, AT, AT + 40),)),
        Journey(
            "hook",
            "waiting",
            (Step("failed", 1, AT, AT, took_ms=9, reason="answered 503: busy", due_ms=AT + 1000, exchange=SAID),),
            waits_for="its turn: it is the next; hook is out (answered 503: busy), "
            "next attempt at 2024-02-29T12:00:01.000Z",
        ),
        Journey("old", "dead", letter=LetterSeen(7, "dead", AT, "HTTP 400", "http_400", 1)),
    ),
)
REFUSED = Refused(5, "web", "open", AT, AT + 1000, 2, '"event" is missing')


def test_a_story_is_told_as_documented() -> None:
    told = list(lines(Story("m-1", (COPY,), (REFUSED,), ()), body=False))
    assert told == [
        "m-1  track 'Order Completed' of u1",
        "  received   2024-02-29T12:00:00.000Z from web",
        "  happened   2024-02-29T11:59:59.000Z",
        "  stands in  web, p03, 1709208000000-0/1 (the archive)",
        "  changed    timestamp: not_a_date (was 'yesterday')",
        "",
        "  archive: delivered",
        "    2024-02-29T12:00:00.000Z to 2024-02-29T12:00:00.040Z  delivered",
        "",
        "  hook: waiting",
        "    2024-02-29T12:00:00.000Z  failed, the destination is out, attempt 1 (9 ms):",
        "      answered 503: busy",
        "      again from 2024-02-29T12:00:01.000Z",
        "      > POST https://hook.example.com/in",
        "      > Authorization: ***",
        "      < 503",
        "      < busy",
        "    waits for its turn: it is the next; hook is out (answered 503: busy), next",
        "      attempt at 2024-02-29T12:00:01.000Z",
        "",
        "  old: dead, it will not get it",
        "    dead letter 7: dead since 2024-02-29T12:00:00.000Z; `turnout dead show 7`",
        "",
        "m-1  refused at the door (2 times, last 2024-02-29T12:00:01.000Z)",
        "  from       web, first 2024-02-29T12:00:00.000Z",
        '  wrong      "event" is missing',
        "  quarantine 5: open",
    ]
    assert all(len(line) <= WIDTH for line in told)


def test_the_message_itself_is_shown_when_it_is_asked_for() -> None:
    assert '{"event":"E"}' in lines(Story("m-1", (COPY,), (), ()), body=True)


@pytest.mark.usefixtures("configured")
def test_a_message_is_asked_for_by_its_id(turnout: Turnout) -> None:
    ended = turnout("where", "a")
    assert (ended.code, ended.lines[0]) == (0, "a  track 'E' of u")
    told = json.loads(turnout("where", "a", "--json", "--source", "web").out)
    assert [journey["state"] for journey in told["copies"][0]["journeys"]] == ["waiting", "waiting"]


@pytest.mark.usefixtures("configured")
def test_a_message_that_nobody_knows_ends_with_1_and_the_places_that_were_looked_in(turnout: Turnout) -> None:
    ended = turnout("where", "z")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("turnout: z is not known; looked in\nturnout:   the archive of web in ")
    assert turnout("where", "a", "--source", "nowhere").code == 2
