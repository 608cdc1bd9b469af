"""Segment's library, pointed at Turnout by its official snippet and nothing else: what pages do, and what arrives."""

import json
import threading
from collections.abc import Callable
from typing import Any

from tests.clients.browser.cases import Cases
from tests.clients.browser.chromium import Page
from tests.clients.browser.stage import Proxy, Stage, nothing_left, once
from tests.clients.catalog.browser import SEGMENT
from tests.clients.certificate import Scenario
from tests.receiver import Received
from tests.seeds.profiles import profiles_of
from tests.waiting import eventually

Visit = Callable[[Stage, Proxy], Page]
"""A new visitor on a page that has the library, once it is there."""

case = Cases("segment")


def by_snippet(stage: Stage, proxy: Proxy) -> Page:
    return stage.visit(proxy.host)


def numbered(numbers: range) -> str:
    """A message for each number; the library has taken them all."""
    return f'Promise.all({list(numbers)}.map((n) => analytics.track("Numbered", {{n}}))).then(() => null)'


def turned(state: str) -> str:
    """The page is told that it is hidden, or visible again, as by a visitor who turns to another tab."""
    defined = f'Object.defineProperty(document, "visibilityState", {{value: "{state}", configurable: true}})'
    return f'(() => {{ {defined}; document.dispatchEvent(new Event("visibilitychange")); }})()'


@case(shows=(SEGMENT, Scenario.CALLS))
def every_call_arrives_as_it_was_made(stage: Stage) -> None:
    with stage.proxy() as proxy:
        page = stage.visit(proxy.host, page=True)
        page.run('analytics.alias("u-1").then(() => null)')
        page.run("""Promise.all([
            analytics.identify("u-1", {email: "ada@example.com", FIRST_NAME: "Ada"}),
            analytics.group("g-1", {name: "Engines"}),
            analytics.track("Order Completed", {revenue: 19.99, words: "Grüße, 世界! 👩‍👩‍👧 \\u2028"}),
            analytics.page("Docs", "Start", {depth: 2}),
            analytics.screen("Shop", "Basket", {items: 3}),
        ]).then(() => null)""")
        messages = stage.archived(7)
        once(messages, 7)
        nothing_left(page)
    by_type: dict[str, list[dict[str, Any]]] = {}
    for message in messages:
        by_type.setdefault(message["type"], []).append(message)
        library = {"name": "analytics.js", "version": f"next-{SEGMENT.version}"}
        assert message["context"]["library"] == library
        assert message["anonymousId"]
    anonymous = {message["anonymousId"] for message in messages}
    assert len(anonymous) == 1
    (alias,) = by_type["alias"]
    assert (alias["userId"], alias["previousId"]) == ("u-1", *anonymous)
    (identify,) = by_type["identify"]
    assert identify["traits"] == {"email": "ada@example.com", "firstName": "Ada"}
    (group,) = by_type["group"]
    assert (group["groupId"], group["traits"]) == ("g-1", {"name": "Engines"})
    (track,) = by_type["track"]
    assert track["event"] == "Order Completed"
    assert track["properties"] == {"revenue": 19.99, "words": "Grüße, 世界! 👩‍👩‍👧 \u2028"}
    (docs,) = [message for message in by_type["page"] if message.get("name") == "Start"]
    assert (docs["category"], docs["properties"]["depth"]) == ("Docs", 2)
    assert docs["context"]["page"]["url"].startswith("https://localhost:")
    (screen,) = by_type["screen"]
    assert (screen["name"], screen["properties"]["items"]) == ("Basket", 3)


@case()
def a_page_asks_for_the_script_its_settings_and_nothing_else_and_may_keep_both(stage: Stage) -> None:
    with stage.proxy() as proxy:
        page = stage.visit(proxy.host, page=True)
        stage.archived(1)
        start = [f"GET /analytics.js/v1/{stage.key}/analytics.min.js", f"GET /v1/projects/{stage.key}/settings"]
        assert proxy.lines == [*start, "OPTIONS /v1/p", "POST /v1/p"]
        script, settings = proxy.passed[:2]
        assert script.answer.headers["content-encoding"] == "gzip"
        for kept in (script, settings):
            assert kept.answer.headers["cache-control"].startswith("public, max-age=")
            assert kept.answer.headers["etag"]
        page.goto(page_url(stage))
        stage.archived(2)
        assert [line for line in proxy.lines if line.startswith("GET ")] == start
        nothing_left(page)


def page_url(stage: Stage) -> str:
    return f"{stage.site.url}/{stage.source}"


@case()
def turnout_speaks_to_pages_by_its_own_certificate_too(stage: Stage) -> None:
    page = stage.visit(f"127.0.0.1:{stage.turnout.port}")
    page.run('analytics.track("Direct").then(() => null)')
    (message,) = stage.archived(1)
    assert message["event"] == "Direct"
    nothing_left(page)


@case()
def a_page_over_plain_http_says_where_the_library_is(stage: Stage) -> None:
    with stage.proxy(scheme="http") as proxy:
        load = stage.snippet(proxy.host).replace(f"https://{proxy.host}", proxy.url)
        cdn = f'analytics._cdn = "{proxy.url}";'
        assert load.count("analytics._writeKey") == 1
        page = stage.browser.open(stage.write(load.replace("analytics._writeKey", cdn + "analytics._writeKey")))
        page.run("new Promise((done) => analytics.ready(() => done(null)))")
        page.run('analytics.track("Plain").then(() => null)')
        (message,) = stage.archived(1)
        assert message["event"] == "Plain"
        nothing_left(page)


@case()
def a_site_that_sends_its_cookies_along_may(stage: Stage) -> None:
    options = {"integrations": {"Segment.io": {"deliveryStrategy": {"config": {"credentials": "include"}}}}}
    with stage.proxy() as proxy:
        page = stage.visit(proxy.host, load=options)
        page.run('analytics.track("With Cookies").then(() => null)')
        stage.archived(1)
        nothing_left(page)
        (post,) = proxy.posts(1)
        assert post.answer.headers["access-control-allow-credentials"] == "true"


@case()
def the_query_of_an_address_can_make_calls(stage: Stage) -> None:
    with stage.proxy() as proxy:
        query = "?ajs_uid=u-7&ajs_trait_plan=pro&ajs_event=Opened%20Mail&ajs_prop_mail=spring"
        page = stage.visit(proxy.host, query=query)
        messages = stage.archived(2)
        once(messages, 2)
        told = {message["type"]: message for message in messages}
        assert (told["identify"]["userId"], told["identify"]["traits"]) == ("u-7", {"plan": "pro"})
        assert (told["track"]["event"], told["track"]["properties"]) == ("Opened Mail", {"mail": "spring"})
        assert any(line.startswith("GET /analytics-next/bundles/queryString.bundle.") for line in proxy.lines)
        nothing_left(page)


@case('browser = { delivery = "batching", batch_wait = "1s" }')
def batches_of_messages_are_sent_where_the_source_says_so(stage: Stage) -> None:
    with stage.proxy() as proxy:
        page = stage.visit(proxy.host)
        page.run(numbered(range(3)))
        once(stage.archived(3), 3)
        nothing_left(page)
        (post,) = proxy.posts(1)
        assert (post.received.path, len(post.messages())) == ("/v1/b", 3)


@case('browser = { delivery = "batching", batch_wait = "1s" }')
def batches_cost_and_double_nothing_when_the_page_is_hidden_and_left(stage: Stage) -> None:
    with stage.proxy() as proxy:
        away = stage.write("", name="away")
        page = stage.visit(proxy.host)
        page.run(numbered(range(8)))
        page.run(turned("hidden"))
        eventually(proxy.posts, what="the page is hidden, and sends what it has")
        page.run(turned("visible"))
        page.run(numbered(range(8, 12)))
        page.goto(away)
        messages = stage.archived(12)
        assert sorted(message["properties"]["n"] for message in messages) == list(range(12))
        sent = [message["messageId"] for post in proxy.posts(2) for message in post.messages()]
        assert len(sent) > 12, "some were sent again"
        once(stage.turnout.archived(stage.source), 12)
        nothing_left(page)


@case()
def leaving_a_page_in_the_middle_of_sending_costs_and_doubles_nothing(stage: Stage) -> None:
    sending, left = threading.Event(), threading.Event()

    def held(received: Received) -> None:
        if received.method == "POST":
            sending.set()
            left.wait(10)

    with stage.proxy(held) as proxy:
        page = stage.visit(proxy.host)
        page.run('(() => { for (let n = 0; n < 20; n += 1) analytics.track("Numbered", {n}); })()')
        # What the library has not begun to send it may lose: that is its own affair.
        sent = f"{proxy.url}/v1/t"
        eventually(lambda: page.seen().requests.count(sent) >= 20, what="all are on their way")
        assert sending.wait(10)
        page.goto(stage.write(stage.snippet(proxy.host), name="next"))
        left.set()
        messages = stage.archived(20)
        assert sorted(message["properties"]["n"] for message in messages) == list(range(20))
        assert len(proxy.posts(21)) > 20, "some were sent again"
        nothing_left(page)


@case(shows=(SEGMENT, Scenario.AWAY))
def an_outage_costs_and_doubles_nothing(stage: Stage, visit: Visit = by_snippet) -> None:
    with stage.proxy(stage.outage()) as proxy:
        page = visit(stage, proxy)
        page.run('(() => { analytics.track("Numbered", {n: 1}); analytics.track("Numbered", {n: 2}); })()')
        assert sorted(post.answer.status for post in proxy.posts(5)) == [200, 200, 503, 503, 503]
        once(stage.archived(2), 2)
        retried = [post for post in proxy.posts() if post.received.headers.get("x-retry-count")]
        assert len(retried) == 3
        nothing_left(page)


@case("rate = { messages = 0.5, burst = 2 }", shows=(SEGMENT, Scenario.BUSY))
def limited_by_its_rate_a_page_waits_for_as_long_as_it_is_told(stage: Stage, visit: Visit = by_snippet) -> None:
    with stage.proxy() as proxy:
        page = visit(stage, proxy)
        page.run(numbered(range(2)))
        stage.archived(2)
        page.run('(() => { analytics.track("Numbered", {n: 3}); })()')
        once(stage.archived(3), 3)
        refused, *_, taken = proxy.posts(4)[2:]
        assert (refused.answer.status, taken.answer.status) == (429, 200)
        waited = taken.at - refused.at
        told = int(refused.answer.headers["retry-after"])
        assert told <= waited < told + 3
        nothing_left(page)


@case(shows=(SEGMENT, Scenario.BIG))
def a_message_that_is_too_large_is_dropped_and_holds_up_no_other(stage: Stage, visit: Visit = by_snippet) -> None:
    with stage.proxy() as proxy:
        page = visit(stage, proxy)
        page.run('analytics.track("Large", {text: "x".repeat(40000)}).then(() => null)')
        page.run('analytics.track("Small").then(() => null)')
        (message,) = stage.archived(1)
        assert message["event"] == "Small"
        assert sorted(post.answer.status for post in proxy.posts(2)) == [200, 400]
        nothing_left(page)


@case()
def a_bad_message_is_dropped_and_not_tried_again(stage: Stage) -> None:
    with stage.proxy() as proxy:
        page = stage.visit(proxy.host)
        page.run(
            'analytics.track("Dated", {}, {timestamp: "no date at all", messageId: "m".repeat(200)}).then(() => null)'
        )
        page.run('analytics.track("Good").then(() => null)')
        (message,) = stage.archived(1)
        assert message["event"] == "Good"
        assert sorted(post.answer.status for post in proxy.posts(2)) == [200, 400]
        nothing_left(page)


@case(shows=(SEGMENT, Scenario.KEY))
def a_page_with_a_bad_key_goes_on_without_the_library_and_says_so(stage: Stage) -> None:
    with stage.proxy() as proxy:
        page = stage.browser.open(stage.write(stage.snippet(proxy.host, apiKey="no-key"), "window.alive = true;"))
        eventually(lambda: any("Failed to load" in words for words in page.seen().said), what="the console says so")
        assert page.run("window.alive") is True
        (settings,) = [each for each in proxy.passed if each.received.path.endswith("/settings")]
        assert json.loads(settings.answer.body)["code"] == "unknown_write_key"
        assert proxy.posts() == []
        # The library wants to tell its makers; nobody else is asked for anything.
        assert {url.partition("?")[0] for url in page.seen().elsewhere} <= {"https://api.segment.io/v1/m"}


@case()
def the_group_call_of_the_documents_makes_the_group_and_its_member(stage: Stage) -> None:
    """Typed as Segment's page on the group call has it."""
    with stage.proxy() as proxy:
        page = stage.visit(proxy.host)
        page.run('analytics.identify("peter").then(() => null)')
        page.run("""
            analytics.group("0e8c78ea9d97a7b8185e8632", {
                name: "Initech",
                industry: "Technology",
                employees: 329,
                plan: "enterprise",
                "total billed": 830
            }).then(() => null)
        """)
        stage.archived(2)
    initech = {"name": "Initech", "industry": "Technology", "employees": 329, "plan": "enterprise", "total billed": 830}
    with profiles_of(stage.turnout) as profiles:
        profiles.group("0e8c78ea9d97a7b8185e8632", until=initech)
        profiles.user("peter", groups=["0e8c78ea9d97a7b8185e8632"])
