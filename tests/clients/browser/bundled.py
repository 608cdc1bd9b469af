"""Libraries that a site builds into its own script: Segment's from npm, and RudderStack's, OpenPanel's."""

from tests.clients.browser.cases import Cases
from tests.clients.browser.chromium import Page
from tests.clients.browser.stage import Stage, nothing_left, once
from tests.clients.catalog.browser import OPENPANEL, RUDDER, SEGMENT_NPM
from tests.clients.certificate import Scenario

case = Cases("bundled")
READY = "new Promise((done) => window.ready.then(() => done(null)))"


def opened(stage: Stage, code: str) -> Page:
    """A new visitor on a page whose script was built of this code."""
    return stage.browser.open(stage.write(stage.browser.bundle(code)))


def from_npm(key: str, url: str) -> str:
    """Segment's library, pointed here by one option."""
    return f"""
        import {{ AnalyticsBrowser }} from "@segment/analytics-next";
        window.analytics = AnalyticsBrowser.load({{ writeKey: "{key}", cdnURL: "{url}" }});
        window.ready = window.analytics.ready();
    """


@case(shows=(SEGMENT_NPM, Scenario.CALLS))
def segments_package_from_npm_needs_one_option(stage: Stage) -> None:
    with stage.proxy() as proxy:
        page = opened(stage, from_npm(stage.key, proxy.url))
        page.run(READY)
        page.run('analytics.identify("u-1", { plan: "pro" }).then(() => null)')
        page.run('analytics.track("Bought", { price: 3 }).then(() => null)')
        messages = stage.archived(2)
        once(messages, 2)
        assert {message["context"]["library"]["version"] for message in messages} == {f"npm:next-{SEGMENT_NPM.version}"}
        assert proxy.lines[0] == f"GET /v1/projects/{stage.key}/settings"
        nothing_left(page)


def rudder(key: str, url: str, options: str = "") -> str:
    """RudderStack's library, pointed here by both of its addresses."""
    return f"""
        import {{ RudderAnalytics }} from "@rudderstack/analytics-js/bundled";
        window.analytics = new RudderAnalytics();
        window.ready = new Promise((done) => window.analytics.ready(done));
        window.analytics.load("{key}", "{url}", {{ configUrl: "{url}", {options} }});
    """


@case(shows=(RUDDER, Scenario.CALLS))
def every_call_on_rudderstacks_library_arrives(stage: Stage) -> None:
    with stage.proxy() as proxy:
        page = opened(stage, rudder(stage.key, proxy.url))
        page.run(READY)
        page.run("""(() => {
            analytics.identify("u-1", { email: "ada@example.com", FIRST_NAME: "Ada" });
            analytics.group("g-1", { name: "Engines" });
            analytics.track("Order Completed", { revenue: 19.99 });
            analytics.page("Docs", "Start", { depth: 2 });
            analytics.alias("u-2", "u-1");
        })()""")
        messages = stage.archived(5)
        once(messages, 5)
        told = {message["type"]: message for message in messages}
        assert told.keys() == {"identify", "group", "track", "page", "alias"}
        assert told["identify"]["traits"] == {"email": "ada@example.com", "firstName": "Ada"}
        assert (told["group"]["groupId"], told["group"]["traits"]) == ("g-1", {"name": "Engines"})
        assert (told["track"]["event"], told["track"]["properties"]["revenue"]) == ("Order Completed", 19.99)
        assert (told["page"]["name"], told["page"]["properties"]["depth"]) == ("Start", 2)
        assert (told["alias"]["userId"], told["alias"]["previousId"]) == ("u-2", "u-1")
        assert all(message["context"]["library"]["version"] == RUDDER.version for message in messages)
        nothing_left(page)


@case()
def rudderstacks_beacons_arrive_when_the_page_is_left(stage: Stage) -> None:
    with stage.proxy() as proxy:
        page = opened(stage, rudder(stage.key, proxy.url, "useBeacon: true"))
        page.run(READY)
        page.run('(() => { for (let n = 0; n < 5; n += 1) analytics.track("Numbered", { n }); })()')
        page.goto(stage.write("", name="away"))
        messages = stage.archived(5)
        assert sorted(message["properties"]["n"] for message in messages) == list(range(5))
        once(messages, 5)
        assert any(line.startswith("POST /beacon/v1/batch") for line in proxy.lines)
        nothing_left(page)


def openpanel(key: str, url: str) -> str:
    """OpenPanel's library, pointed here by one option."""
    return f"""
        import {{ OpenPanel }} from "@openpanel/web";
        window.op = new OpenPanel({{ clientId: "{key}", apiUrl: "{url}", trackScreenViews: false }});
    """


@case(shows=(OPENPANEL, Scenario.CALLS))
def every_call_on_openpanels_library_arrives(stage: Stage) -> None:
    with stage.proxy() as proxy:
        page = opened(stage, openpanel(stage.key, proxy.url))
        page.run("""(async () => {
            await op.track("Looked", { price: 3 });
            await op.identify({ profileId: "u-1", firstName: "Ada", properties: { plan: "pro" } });
            await op.increment({ profileId: "u-1", property: "visits", value: 2 });
            await op.decrement({ profileId: "u-1", property: "credit", value: 1 });
            await op.track("Bought", { price: 4 });
        })()""")
        messages = stage.archived(5)
        once(messages, 5)
        tracks = {message["event"]: message for message in messages if message["type"] == "track"}
        assert tracks.keys() == {"Looked", "Bought"}
        assert tracks["Looked"]["properties"]["price"] == 3
        assert tracks["Bought"]["userId"] == "u-1"
        assert tracks["Looked"]["anonymousId"]
        identifies = [message for message in messages if message["type"] == "identify"]
        operations = [each for message in identifies for each in message["context"].get("operations", ())]
        assert sorted((each["trait"], each["by"]) for each in operations) == [("credit", -1), ("visits", 2)]
        (told,) = [message["traits"] for message in identifies if message["traits"]]
        assert told == {"firstName": "Ada", "plan": "pro"}
        nothing_left(page)
