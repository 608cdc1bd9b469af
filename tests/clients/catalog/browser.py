"""The libraries that run in browsers, as they are published, and what each does in the scenarios."""

from tests.clients.certificate import Client, Scenario

SEGMENT = Client(
    name="@segment/analytics-next",
    version="1.84.3",
    kind="browser",
    language="JavaScript",
    points="the host in the official snippet (`@segment/snippet` 5.2.1)",
    scenarios={
        Scenario.CALLS: "",
        Scenario.AWAY: "",
        Scenario.BUSY: "Waits as long as `Retry-After` says.",
        Scenario.KEY: "Does not start, and says so in the console; the page goes on.",
        Scenario.BIG: "Sends it; Turnout keeps it in quarantine, and the page sends the rest.",
    },
)
SEGMENT_NPM = Client(
    name="@segment/analytics-next (npm)",
    version="1.84.3",
    kind="browser",
    language="JavaScript",
    points="`cdnURL`",
    scenarios={Scenario.CALLS: ""},
)
RUDDER = Client(
    name="@rudderstack/analytics-js",
    version="3.34.1",
    kind="browser",
    language="JavaScript",
    points="the data plane's URL, `configUrl`",
    scenarios={Scenario.CALLS: ""},
)
OPENPANEL = Client(
    name="@openpanel/web",
    version="1.4.1",
    kind="browser",
    language="JavaScript",
    points="`apiUrl`",
    scenarios={Scenario.CALLS: ""},
)

CLIENTS = (SEGMENT, SEGMENT_NPM, RUDDER, OPENPANEL)
