"""Published libraries for browsers, unmodified, in a real browser: what a page was told is what arrives, once."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import nullcontext

import pytest

from collector.browser.published import BESIDE, present
from tests.certificates import Certificate
from tests.clients.browser import bundled, refused, segment
from tests.clients.browser.cases import Case
from tests.clients.browser.chromium import Browser
from tests.clients.browser.stage import Site, Stage
from tests.clients.catalog import server
from tests.clients.certificate import Client, Scenario, certified
from tests.clients.node_setup import lacking
from tests.running import Running, running

pytestmark = pytest.mark.clients

AT_ONCE = 10
CASES = (*segment.case.listed, *bundled.case.listed, *refused.case.listed)


@pytest.fixture(scope="module")
def turnout(certificate: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    if not list(present([BESIDE])):
        lacking("the library for browsers is not here: turnout browser fetch")
    sources = "".join(
        f'[sources.{each.source}]\nwrite_keys = ["key-of-{each.source}"]\n{each.settings}\n' for each in CASES
    )
    toml = f'[collector]\ntrusted_proxies = ["127.0.0.1"]\n{sources}'
    with running(tmp_path_factory.mktemp("browsers"), toml, tls=certificate) as started:
        yield started


@pytest.fixture(scope="module")
def played(
    request: pytest.FixtureRequest, browser: Browser, turnout: Running, website: Site
) -> Iterator[Mapping[Case, "Future[None]"]]:
    """The cases that were asked for, all at the same time: they mostly wait."""
    called = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    asked = [params["played_case"] for params in called if "played_case" in params]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        yield {each: threads.submit(each.play, Stage(browser, turnout, website, each.source)) for each in asked}


@pytest.mark.parametrize("played_case", CASES, ids=str)
def test_in_a_browser(played: Mapping[Case, "Future[None]"], played_case: Case) -> None:
    with certified(*played_case.shows) if played_case.shows else nullcontext():
        played[played_case].result()


def test_what_was_too_big_is_in_quarantine_as_often_as_it_came_and_nothing_else_is(
    played: Mapping[Case, "Future[None]"], turnout: Running
) -> None:
    shown = {each.source: each.shows for each in played if each.shows}
    expected = {source: times_kept(*seen) for source, seen in shown.items()}
    wait([played[each] for each in played])
    listed = turnout.command("quarantine", "list", "--json", "--most", "100").stdout.splitlines()
    held = Counter(json.loads(line)["source"] for line in listed)
    assert {source: held[source] for source in expected} == expected


def times_kept(client: Client, scenario: Scenario) -> int:
    if scenario is not Scenario.BIG:
        return 0
    return 4 if client.scenarios[scenario] == server.SENDS_IT_AGAIN else 1


def test_no_browser_asks_elsewhere_unnoticed(browser: Browser) -> None:
    page = browser.open("data:text/html,hi")
    assert page.run("fetch('https://api.segment.io/v1/m').then(() => 'sent', () => 'not sent')") == "not sent"
    assert page.seen().elsewhere == ["https://api.segment.io/v1/m"]
    page.close()
