"""Every published server client, unmodified: it loses nothing, doubles nothing, and sends nothing anywhere else."""

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.clients.catalog import server
from tests.clients.certificate import Scenario, certified
from tests.clients.front import Front
from tests.clients.published import Published, Report, Told, report_of, run_of
from tests.clients.servers import PUBLISHED
from tests.running import Running, running
from tests.waiting import eventually

pytestmark = [pytest.mark.clients, pytest.mark.timeout(300)]  # the first one waits for all that has to be fetched

TOO_BIG = 40_000  # bytes; the limit is 32 KB
RETRY_AFTER = 1.0  # seconds, says the front


def calls_of(published: Published, scenario: Scenario) -> Sequence[Told]:
    match scenario:
        case Scenario.CALLS:
            return published.calls
        case Scenario.BIG:
            return [published.numbered(0, ""), published.numbered(1, "x" * TOO_BIG), published.numbered(2, "")]
        case _:
            return [published.numbered(number, "") for number in range(3)]


@dataclass(frozen=True)
class Run:
    """What a client did in all scenarios."""

    published: Published
    fronts: dict[Scenario, Front]
    report: Report
    turnout: Running

    def failures(self, scenario: Scenario) -> Sequence[str]:
        return self.report.failures[scenario.name]

    def stored(self, scenario: Scenario, count: int) -> list[dict[str, Any]]:
        """The messages of a scenario, once at least so many are there."""
        source = source_of(self.published, scenario)
        what = f"{count} messages of {source} are stored"
        eventually(lambda: len(self.turnout.archived(source)) >= count, what=what)
        return self.turnout.archived(source)

    def words(self, scenario: Scenario) -> str:
        return self.published.client.scenarios[scenario]

    def statuses(self, scenario: Scenario) -> list[int]:
        return [passed.answer.status for passed in self.fronts[scenario].passed]

    def times_sent(self, scenario: Scenario, number: int) -> int:
        """How often a numbered message left the client."""
        wanted = re.compile(rf'"n": ?"{number}"'.encode())
        return sum(len(wanted.findall(passed.plain)) for passed in self.fronts[scenario].passed)


def source_of(published: Published, scenario: Scenario) -> str:
    return f"{published.slug}-{scenario.name.lower()}"


@pytest.fixture(scope="module")
def asked_for(request: pytest.FixtureRequest) -> list[Published]:
    """The clients of the tests that were chosen."""
    params = [callspec.params for item in request.session.items if (callspec := getattr(item, "callspec", None))]
    slugs = {found.slug for found in (each.get("run") for each in params) if isinstance(found, Published)}
    return [published for published in PUBLISHED if published.slug in slugs]


@pytest.fixture(scope="module")
def runs(asked_for: list[Published], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Run]]]:
    """All clients at once: most of their time they wait."""
    sources = "".join(
        f'[sources.{source_of(each, scenario)}]\nwrite_keys = ["{each.key(scenario)}"]\n'
        for each in asked_for
        for scenario in each.client.scenarios
    )
    with (
        running(tmp_path_factory.mktemp("certificate"), sources) as turnout,
        ExitStack() as fronts,
        ThreadPoolExecutor(len(asked_for)) as pool,
    ):
        yield {each.slug: pool.submit(ran, each, turnout, fronts) for each in asked_for}


def ran(published: Published, turnout: Running, stack: ExitStack) -> Run:
    command = published.command()
    scenarios = published.client.scenarios
    fronts = {each: stack.enter_context(Front(turnout.port, published.faults_of(each))) for each in scenarios}
    told = {each.name: run_of(published, each, fronts[each].url, calls_of(published, each)) for each in scenarios}
    return Run(published, fronts, report_of(command, told), turnout)


@pytest.fixture
def run(request: pytest.FixtureRequest, runs: dict[str, Future[Run]]) -> Run:
    published: Published = request.param
    return runs[published.slug].result()


def each_in(scenario: Scenario) -> pytest.MarkDecorator:
    chosen = [published for published in PUBLISHED if scenario in published.client.scenarios]
    return pytest.mark.parametrize("run", chosen, indirect=True, ids=named)


def named(published: Published) -> str:
    return f"{published.client.name}-{published.client.version}"


@each_in(Scenario.CALLS)
def test_every_call_is_stored_as_it_was_told(run: Run) -> None:
    with certified(run.published.client, Scenario.CALLS):
        expected = [call.stored for call in run.published.calls]
        stored = run.stored(Scenario.CALLS, len(expected))
        assert run.failures(Scenario.CALLS) == ()
        assert set(run.statuses(Scenario.CALLS)) == {200}
        assert_each_is_there(stored, expected)
        assert_stored_once_under_its_own_id(run, Scenario.CALLS, stored)
        assert [message["context"]["library"] for message in stored] == [run.published.library] * len(stored)


@each_in(Scenario.AWAY)
def test_a_collector_that_is_away_for_a_moment_costs_and_doubles_nothing(run: Run) -> None:
    with certified(run.published.client, Scenario.AWAY):
        assert_all_but_what_it_gives_up(run, Scenario.AWAY)
        assert run.statuses(Scenario.AWAY).count(503) == len(run.published.faults_of(Scenario.AWAY))


@each_in(Scenario.BUSY)
def test_a_client_that_is_told_to_wait_comes_back(run: Run) -> None:
    with certified(run.published.client, Scenario.BUSY):
        assert_all_but_what_it_gives_up(run, Scenario.BUSY)
        first, *others = run.fronts[Scenario.BUSY].passed
        assert first.answer.status == 429
        if run.words(Scenario.BUSY) == server.WAITS:
            assert others[0].at - first.at >= RETRY_AFTER


@each_in(Scenario.KEY)
def test_an_unknown_key_gets_nothing_in_and_is_told_to_the_application_where_the_client_can(run: Run) -> None:
    with certified(run.published.client, Scenario.KEY):
        tries, told = {
            server.TELLS_ONCE: (1, 3),
            server.TELLS_LATE: (10, 3),
            server.TELLS_NOBODY: (1, 0),
        }[run.words(Scenario.KEY)]
        assert set(run.statuses(Scenario.KEY)) == {401}
        assert [run.times_sent(Scenario.KEY, number) for number in range(3)] == [tries] * 3
        assert len(run.failures(Scenario.KEY)) == told


@each_in(Scenario.BIG)
def test_a_message_that_is_too_big_costs_no_other(run: Run) -> None:
    with certified(run.published.client, Scenario.BIG):
        tries, told = {
            server.RAISES: (0, 1),
            server.LOGS: (0, 0),
            server.SENDS_IT: (1, 0),
            server.SENDS_IT_ALONE: (1, 0),
            server.SENDS_IT_AGAIN: (4, 0),
        }[run.words(Scenario.BIG)]
        stored = run.stored(Scenario.BIG, 2)
        assert_each_is_there(stored, [run.published.numbered(number, "").stored for number in (0, 2)])
        assert run.times_sent(Scenario.BIG, 1) == tries
        assert len(run.failures(Scenario.BIG)) == told


@pytest.mark.parametrize("run", PUBLISHED, indirect=True, ids=named)
def test_nothing_is_sent_to_any_other_host(run: Run) -> None:
    assert set(run.report.connected) <= {front.address for front in run.fronts.values()}


def test_the_books_say_the_same(asked_for: list[Published], runs: dict[str, Future[Run]]) -> None:
    """Nothing came later, nothing was stored twice, and only what was too big was refused."""
    done = [runs[published.slug].result() for published in asked_for]
    turnout = done[0].turnout
    eventually(lambda: settled(turnout.status()), what="everything is in the archive")
    status = turnout.status()
    intake = {row["source"]: (row["received"], row["refused"]) for row in status["intake"]}
    for run in done:
        for scenario, words in run.published.client.scenarios.items():
            source = source_of(run.published, scenario)
            kept = (4 if words == server.SENDS_IT_AGAIN else 1) if "quarantine" in words else 0
            assert intake.get(source, (0, 0)) == (len(turnout.archived(source)), kept), source


def settled(status: Mapping[str, Any]) -> bool:
    return not any(row["waiting"] for row in status["rows"])


def assert_all_but_what_it_gives_up(run: Run, scenario: Scenario) -> None:
    """The three messages are stored; of a client that gives up, those after the first."""
    kept = range(1 if scenario in run.published.client.loses else 0, 3)
    stored = run.stored(scenario, len(kept))
    assert run.failures(scenario) == ()
    assert_each_is_there(stored, [run.published.numbered(number, "").stored for number in kept])
    assert_stored_once_under_its_own_id(run, scenario, stored)


def assert_each_is_there(stored: Sequence[Mapping[str, Any]], expected: Sequence[Mapping[str, Any]]) -> None:
    """Each expected message is there once, with whatever else the client put into it, and no other."""
    assert len(stored) == len(expected)
    for each in expected:
        found = [message for message in stored if contains(message, each)]
        assert len(found) == 1, f"{each} is there {len(found)} times in {stored}"


def contains(found: Any, expected: Any) -> bool:
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        return all(name in found and contains(found[name], value) for name, value in expected.items())
    return bool(found == expected)


def assert_stored_once_under_its_own_id(run: Run, scenario: Scenario, stored: Sequence[Mapping[str, Any]]) -> None:
    ids = [message["messageId"] for message in stored]
    assert len(set(ids)) == len(ids)
    if run.published.names_messages:
        sent = [message["messageId"] for passed in run.fronts[scenario].passed for message in passed.messages()]
        assert set(ids) <= set(sent)
