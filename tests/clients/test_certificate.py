"""Every published server client, unmodified: it loses nothing, doubles nothing, and sends nothing anywhere else."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.clients.certificate import Scenario, certified
from tests.clients.front import Fault, Front
from tests.clients.published import Published, Report, Told, report_of, run_of
from tests.clients.servers import PUBLISHED
from tests.running import Running, running
from tests.waiting import eventually

pytestmark = [pytest.mark.clients, pytest.mark.timeout(300)]  # the first one waits for all that has to be fetched

TOO_BIG = 40_000  # bytes; the limit is 32 KB
EACH = [pytest.param(published, id=f"{published.client.name}-{published.client.version}") for published in PUBLISHED]


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
        """The messages of a scenario, once so many are there."""
        source = source_of(self.published, scenario)
        return (
            eventually(
                lambda: found if len(found := self.turnout.archived(source)) >= count else None,
                what=f"{count} messages of {source} are stored",
            )
            if count
            else self.turnout.archived(source)
        )


def source_of(published: Published, scenario: Scenario) -> str:
    return f"{published.slug}-{scenario.name.lower()}"


@pytest.fixture(scope="module")
def asked_for(request: pytest.FixtureRequest) -> list[Published]:
    """The clients of the tests that were chosen."""
    params = [getattr(item, "callspec").params for item in request.session.items if hasattr(item, "callspec")]
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
    chosen = [each for each in EACH if scenario in each.values[0].client.scenarios]  # type: ignore[attr-defined]
    return pytest.mark.parametrize("run", chosen, indirect=True)


@each_in(Scenario.CALLS)
def test_every_call_is_stored_as_it_was_told(run: Run) -> None:
    with certified(run.published.client, Scenario.CALLS):
        expected = [call.stored for call in run.published.calls]
        stored = run.stored(Scenario.CALLS, len(expected))
        assert run.failures(Scenario.CALLS) == ()
        assert [statuses(run, Scenario.CALLS)] == [[200] * len(run.fronts[Scenario.CALLS].passed)]
        assert_contained(stored, expected)
        assert_same_ids(run, Scenario.CALLS, stored)
        assert [message["context"]["library"] for message in stored] == [run.published.library] * len(stored)


@each_in(Scenario.AWAY)
def test_a_collector_that_is_away_for_a_moment_costs_and_doubles_nothing(run: Run) -> None:
    with certified(run.published.client, Scenario.AWAY):
        stored = run.stored(Scenario.AWAY, 3)
        assert statuses(run, Scenario.AWAY).count(503) == len(run.published.faults_of(Scenario.AWAY))
        assert run.failures(Scenario.AWAY) == ()
        assert_contained(stored, [run.published.numbered(n, "").stored for n in range(3)])
        assert_same_ids(run, Scenario.AWAY, stored)


@each_in(Scenario.BUSY)
def test_a_client_that_is_told_to_wait_comes_back(run: Run) -> None:
    with certified(run.published.client, Scenario.BUSY):
        stored = run.stored(Scenario.BUSY, 3)
        assert run.failures(Scenario.BUSY) == ()
        assert_contained(stored, [run.published.numbered(n, "").stored for n in range(3)])
        if "Retry-After` says." in run.published.client.scenarios[Scenario.BUSY]:
            pass


@each_in(Scenario.KEY)
def test_an_unknown_key_is_told_to_the_application(run: Run) -> None:
    with certified(run.published.client, Scenario.KEY):
        assert set(statuses(run, Scenario.KEY)) == {401}
        print(run.failures(Scenario.KEY), statuses(run, Scenario.KEY))


@each_in(Scenario.BIG)
def test_a_message_that_is_too_big_costs_no_other(run: Run) -> None:
    with certified(run.published.client, Scenario.BIG):
        stored = run.stored(Scenario.BIG, 2)
        print(run.failures(Scenario.BIG), statuses(run, Scenario.BIG))
        assert_contained(stored, [run.published.numbered(n, "").stored for n in (0, 2)])


@pytest.mark.parametrize("run", EACH, indirect=True)
def test_nothing_is_sent_to_any_other_host(run: Run) -> None:
    assert set(run.report.connected) <= {front.address for front in run.fronts.values()}


def statuses(run: Run, scenario: Scenario) -> list[int]:
    return [passed.status for passed in run.fronts[scenario].passed]


def assert_contained(stored: list[dict[str, Any]], expected: Sequence[Any]) -> None:
    """Each expected message is there once, with whatever else the client put into it."""
    assert len(stored) == len(expected)
    for each in expected:
        (found,) = [message for message in stored if {name: message.get(name) for name in each} == each] or [None]
        assert found is not None, f"{each} is not among {stored}"


def assert_same_ids(run: Run, scenario: Scenario, stored: list[dict[str, Any]]) -> None:
    """Those that the client wrote are those that are stored, each once."""
    sent = {message["messageId"] for passed in run.fronts[scenario].passed for message in passed.messages()}
    assert sorted(message["messageId"] for message in stored) == sorted(sent)
