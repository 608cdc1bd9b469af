"""Users are forgotten over HTTP, in the shapes of Segment's Public API."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from collector.api.door import Door
from collector.api.furnished import Furniture
from collector.api.rooms import Rooms
from collector.api.settings import ApiSettings
from collector.app import create_app
from collector.regulations.desk import Desk
from destinations.settings import Secret
from schemas.limits import Limits
from tests import databases
from tests.collector.client import KEYS, NOON, Answered, Client, MemoryLog, basic
from worker.config import Config
from worker.forgetting import register, report
from worker.forgetting.report import Answered as Said
from worker.forgetting.report import Report

TOKEN = "a-good-api-token-1"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return databases.in_file(tmp_path)


@pytest.fixture
def engine(config: Config) -> Iterator[Engine]:
    with databases.opened(config) as engine:
        yield engine


@pytest.fixture
def api(config: Config) -> Iterator[Client]:
    count = iter(range(1_000))
    settings = ApiSettings(tokens=(Secret(TOKEN),), rate=1e6)
    desk = Desk(config)

    def new_id() -> str:
        return f"r{next(count)}"

    door = Door(settings, lambda: NOON, new_id)
    yield Client(
        create_app(
            KEYS,
            MemoryLog(),
            now=lambda: NOON,
            new_id=new_id,
            limits=Limits(),
            door=door,
            rooms=Rooms(config, Furniture(config, wishes=desk)),
        )
    )
    desk.close()


def wish(client: Client, *users: object, kind: str = "SUPPRESS_WITH_DELETE", of: str = "USER_ID") -> Answered:
    body = {"regulationType": kind, "subjectType": of, "subjectIds": list(users)}
    answered = client.post("/regulations", body, headers=basic(TOKEN))
    assert answered is not None
    return answered


def get(client: Client, path: str, query: str = "") -> Any:
    answered = client.request("GET", path, headers=basic(TOKEN), query=query)
    assert answered is not None
    assert answered.status == 200, answered.body
    return answered.json()["data"]


def test_a_wish_is_written_down_and_shown_without_the_id(api: Client, engine: Engine) -> None:
    answered = wish(api, "vera-4711")
    assert answered.status == 200
    number = answered.json()["data"]["regulateId"]
    told = get(api, f"/regulations/{number}")["regulation"]
    assert told["id"] == number
    assert (told["overallStatus"], told["regulationType"]) == ("INITIALIZED", "SUPPRESS_WITH_DELETE")
    assert "finishedAt" not in told
    assert "vera-4711" not in str(told)
    taken = report.take(engine)
    assert taken is not None
    assert (taken.id, taken.asked) == (number, "vera-4711")
    assert report.take(engine) is None, "somebody works on it"


def test_a_finished_one_tells_what_was_removed_and_what_destinations_answered(api: Client, engine: Engine) -> None:
    number = wish(api, "vera").json()["data"]["regulateId"]
    answers = (Said("hook", "failed", "503"), Said("console", "not supported"), Said("crm", "done"))
    report.finish(engine, number, Report(removed={"archive": 4}, answers=answers, left=("the log is being written",)))
    told = get(api, f"/regulations/{number}")["regulation"]
    assert told["overallStatus"] == "PARTIAL_SUCCESS"
    assert told["finishedAt"]
    assert told["removed"] == {"archive": 4}
    (stream,) = told["streamStatus"]
    assert [(one["name"], one["status"], one["errString"]) for one in stream["destinationStatus"]] == [
        ("hook", "FAILED", "503"),
        ("console", "NOT_SUPPORTED", ""),
        ("crm", "FINISHED", ""),
    ]
    found = report.get(engine, number)
    assert found is not None
    assert found.asked == ""


def test_many_users_are_a_regulation_each_and_lists_are_paged(api: Client) -> None:
    numbers = wish(api, "a", "b", "c", "a").json()["data"]["regulateIds"]
    assert len(numbers) == len(set(numbers)) == 3
    wish(api, "d", kind="UNSUPPRESS")
    first = get(api, "/regulations", "count=2")
    second = get(api, "/regulations", f"count=2&cursor={first['pagination']['next']}")
    found = [one["id"] for page in (first, second) for one in page["regulations"]]
    assert len(set(found)) == 4
    assert second["pagination"] == {}
    assert len(get(api, "/regulations", "regulationTypes=UNSUPPRESS")["regulations"]) == 1
    assert get(api, "/regulations", "status=FINISHED,RUNNING")["regulations"] == []


def test_who_is_suppressed_is_told_by_digest(api: Client, engine: Engine) -> None:
    key = register.key_of(engine)
    register.note(engine, key, "vera", ["veras-browser"], until="")
    register.note(engine, key, "otto", [], until="2024-02-29T12:00:00.000Z")
    (told,) = get(api, "/suppressions")["suppressed"]
    assert told["subjectType"] == "USER_ID"
    assert len(told["subjectIds"]) == 1
    assert "vera" not in str(told)


@pytest.mark.parametrize(
    ("kind", "of"),
    [("DELETE_ARCHIVE_ONLY", "USER_ID"), ("SUPPRESS_ONLY", "ANONYMOUS_ID"), ("SUPPRESS_ONLY", "OBJECT_ID")],
)
def test_what_there_is_not_is_not_supported(api: Client, kind: str, of: str) -> None:
    answered = wish(api, "u", kind=kind, of=of)
    assert answered.status == 400
    assert answered.json()["error"]["message"].startswith("NOT_SUPPORTED")


@pytest.mark.parametrize("users", [[], [""], ["a\0b"], [7], [f"u{number}" for number in range(5_001)]])
def test_ids_that_are_none_are_refused(api: Client, users: list[object]) -> None:
    answered = wish(api, *users)
    assert (answered.status, answered.json()["error"]["code"]) == (400, "validation_error")


@pytest.mark.parametrize("query", ["count=0", "count=x", "count=201", "status=odd", "regulationTypes=odd"])
def test_parameters_that_are_wrong_are_refused(api: Client, query: str) -> None:
    answered = api.request("GET", "/regulations", headers=basic(TOKEN), query=query)
    assert answered is not None
    assert answered.status == 400


def test_what_is_not_there_is_not_found(api: Client) -> None:
    answered = api.request("GET", "/regulations/reg_no", headers=basic(TOKEN))
    assert answered is not None
    assert (answered.status, answered.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["/regulations", "/regulations/reg_1", "/suppressions"])
def test_a_write_key_opens_nothing(api: Client, path: str) -> None:
    answered = api.request("GET", path, headers=basic("wk_web"))
    assert answered is not None
    assert answered.status == 401
