"""Libraries that a site builds into its own script, where they are refused: what they try again, and what they drop."""

from itertools import pairwise

from tests.clients.browser import segment
from tests.clients.browser.bundled import READY, from_npm, opened, openpanel, rudder
from tests.clients.browser.cases import Cases
from tests.clients.browser.chromium import Page
from tests.clients.browser.stage import Passed, Proxy, Stage, first_posts, nothing_left, once
from tests.clients.catalog.browser import OPENPANEL, RUDDER, SEGMENT_NPM
from tests.clients.certificate import Scenario
from tests.receiver import Answer
from tests.waiting import eventually

case = Cases("refused")
OF_NOBODY = "key-of-nobody"
LARGE = '"Large", { text: "x".repeat(40000) }'


def with_npm(stage: Stage, proxy: Proxy) -> Page:
    page = opened(stage, from_npm(stage.key, proxy.url))
    page.run(READY)
    return page


def with_rudder(stage: Stage, proxy: Proxy) -> Page:
    page = opened(stage, rudder(stage.key, proxy.url))
    page.run(READY)
    return page


def with_openpanel(stage: Stage, proxy: Proxy) -> Page:
    return opened(stage, openpanel(stage.key, proxy.url))


def tries_of(proxy: Proxy, count: int, word: str) -> list[Passed]:
    """The posts of a message, known by a word in it, of so many of all messages."""
    return [post for post in proxy.posts(count) if word.encode() in post.received.body]


def pauses(tries: list[Passed]) -> list[float]:
    return [later.at - earlier.at for earlier, later in pairwise(tries)]


def statuses(posts: list[Passed]) -> list[int]:
    return [post.answer.status for post in posts]


def a_stranger_goes_on_without_the_library(stage: Stage, proxy: Proxy, code: str) -> None:
    """Nothing is sent with a bad key, and the console says why."""
    script = stage.browser.bundle(code)
    page = stage.browser.open(stage.write(script, "window.alive = true;"))
    page.run('(() => { analytics.track("Small"); })()')
    eventually(
        lambda: any("the write key belongs to no source" in words for words in page.seen().said),
        what="the console says so",
    )
    assert page.run("window.alive") is True
    assert proxy.posts() == []
    assert not any("uncaught" in words for words in page.seen().said)
    nothing_left(page)


@case(shows=(SEGMENT_NPM, Scenario.AWAY))
def an_outage_costs_segments_package_nothing(stage: Stage) -> None:
    segment.an_outage_costs_and_doubles_nothing(stage, with_npm)


@case("rate = { messages = 0.5, burst = 2 }", shows=(SEGMENT_NPM, Scenario.BUSY))
def segments_package_waits_for_as_long_as_it_is_told(stage: Stage) -> None:
    segment.limited_by_its_rate_a_page_waits_for_as_long_as_it_is_told(stage, with_npm)


@case(shows=(SEGMENT_NPM, Scenario.KEY))
def segments_package_does_not_start_with_a_bad_key(stage: Stage) -> None:
    with stage.proxy() as proxy:
        a_stranger_goes_on_without_the_library(stage, proxy, from_npm(OF_NOBODY, proxy.url))


@case(shows=(SEGMENT_NPM, Scenario.BIG))
def segments_package_drops_what_is_too_large(stage: Stage) -> None:
    segment.a_message_that_is_too_large_is_dropped_and_holds_up_no_other(stage, with_npm)


@case(shows=(RUDDER, Scenario.AWAY))
def an_outage_costs_rudderstacks_library_nothing_and_its_pauses_grow(stage: Stage) -> None:
    with stage.proxy(stage.outage()) as proxy:
        page = with_rudder(stage, proxy)
        page.run('(() => { analytics.track("First"); analytics.track("Second"); })()')
        posts = proxy.posts(5)
        assert sorted(statuses(posts)) == [200, 200, 503, 503, 503]
        once(stage.archived(2), 2)
        tries = max((tries_of(proxy, 5, word) for word in ("First", "Second")), key=len)
        after_two, after_four = pauses(tries)
        assert 1.9 < after_two < 3.9 < after_four
        nothing_left(page)


@case(shows=(RUDDER, Scenario.BUSY))
def rudderstacks_library_comes_back_when_it_sees_fit(stage: Stage) -> None:
    with stage.proxy(first_posts(stage.refusal(429, Retry_After="30"))) as proxy:
        page = with_rudder(stage, proxy)
        page.run('(() => { analytics.track("First"); })()')
        once(stage.archived(1), 1)
        posts = proxy.posts(2)
        assert statuses(posts) == [429, 200]
        (pause,) = pauses(posts)
        assert 1.9 < pause < 30
        nothing_left(page)


@case(shows=(RUDDER, Scenario.KEY))
def rudderstacks_library_does_not_start_with_a_bad_key(stage: Stage) -> None:
    with stage.proxy() as proxy:
        a_stranger_goes_on_without_the_library(stage, proxy, rudder(OF_NOBODY, proxy.url))


@case(shows=(RUDDER, Scenario.BIG))
def rudderstacks_library_drops_what_is_too_large(stage: Stage) -> None:
    with stage.proxy() as proxy:
        page = with_rudder(stage, proxy)
        page.run(f'(() => {{ analytics.track({LARGE}); analytics.track("Small"); }})()')
        (message,) = stage.archived(1)
        assert message["event"] == "Small"
        assert sorted(statuses(proxy.posts(2))) == [200, 400]
        nothing_left(page)


@case(shows=(OPENPANEL, Scenario.AWAY))
def openpanels_library_tries_four_times(stage: Stage) -> None:
    """It names no messages: one whose answer is lost would be stored twice, by OpenPanel too."""
    unreadable = Answer(503, {}, b"no")
    with stage.proxy(first_posts(unreadable, stage.refusal(503), stage.refusal(503))) as proxy:
        page = with_openpanel(stage, proxy)
        page.run('op.track("First").then(() => null)')
        once(stage.archived(1), 1)
        posts = proxy.posts(4)
        assert statuses(posts) == [503, 503, 503, 200]
        for pause, least in zip(pauses(posts), (0.4, 0.9, 1.9), strict=True):
            assert pause > least
        nothing_left(page)


@case("rate = { messages = 1, burst = 1 }", shows=(OPENPANEL, Scenario.BUSY))
def openpanels_library_comes_back_when_it_sees_fit(stage: Stage) -> None:
    with stage.proxy() as proxy:
        page = with_openpanel(stage, proxy)
        page.run('Promise.all([op.track("First"), op.track("Second")]).then(() => null)')
        once(stage.archived(2), 2)
        tries = max((tries_of(proxy, 4, word) for word in ("First", "Second")), key=len)
        assert statuses(tries) == [429, 429, 200]
        told = float(tries[0].answer.headers["retry-after"])
        assert pauses(tries)[0] < told
        nothing_left(page)


@case(shows=(OPENPANEL, Scenario.KEY))
def openpanels_library_sends_once_with_a_bad_key_and_tells_nobody(stage: Stage) -> None:
    with stage.proxy() as proxy:
        page = opened(stage, openpanel(OF_NOBODY, proxy.url))
        assert page.run('op.track("First")') is None
        assert statuses(proxy.posts(1)) == [401]
        # What the console says is the browser's own.
        (said,) = page.seen().said
        assert said.startswith("Failed to load resource")
        nothing_left(page)


@case(shows=(OPENPANEL, Scenario.BIG))
def openpanels_library_sends_what_is_too_large_four_times(stage: Stage) -> None:
    with stage.proxy() as proxy:
        page = with_openpanel(stage, proxy)
        page.run(f'Promise.all([op.track({LARGE}), op.track("Small")]).then(() => null)')
        (message,) = stage.archived(1)
        assert message["event"] == "Small"
        assert sorted(statuses(proxy.posts(5))) == [200, 400, 400, 400, 400]
        assert any(words.startswith("Max retries reached") for words in page.seen().said)
        nothing_left(page)
