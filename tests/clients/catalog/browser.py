"""The libraries that run in browsers, as they are published, and what each does in the scenarios."""

from tests.clients.catalog import server
from tests.clients.certificate import Client, Scenario

DOES_NOT_START = "Does not start, and says so in the console; the page goes on."
SENDS_THE_REST = "Sends it; Turnout keeps it in quarantine, and the page sends the rest."
TWICE_AS_LONG = "Tries again after two seconds, then after twice as long."

SEGMENT = Client(
    name="@segment/analytics-next",
    version="1.84.3",
    kind="browser",
    language="JavaScript",
    points="the host in the official snippet (`@segment/snippet` 5.2.1)",
    scenarios={
        Scenario.CALLS: "",
        Scenario.AWAY: "",
        Scenario.BUSY: server.WAITS,
        Scenario.KEY: DOES_NOT_START,
        Scenario.BIG: SENDS_THE_REST,
    },
)
SEGMENT_NPM = Client(
    name="@segment/analytics-next (npm)",
    version="1.84.3",
    kind="browser",
    language="JavaScript",
    points="`cdnURL`",
    scenarios={
        Scenario.CALLS: "",
        Scenario.AWAY: "",
        Scenario.BUSY: server.WAITS,
        Scenario.KEY: DOES_NOT_START,
        Scenario.BIG: SENDS_THE_REST,
    },
)
RUDDER = Client(
    name="@rudderstack/analytics-js",
    version="3.34.1",
    kind="browser",
    language="JavaScript",
    points="the data plane's URL, `configUrl`",
    scenarios={
        Scenario.CALLS: "",
        Scenario.AWAY: TWICE_AS_LONG,
        Scenario.BUSY: server.BACKS_OFF,
        Scenario.KEY: DOES_NOT_START,
        Scenario.BIG: SENDS_THE_REST,
    },
)
OPENPANEL = Client(
    name="@openpanel/web",
    version="1.4.1",
    kind="browser",
    language="JavaScript",
    points="`apiUrl`",
    scenarios={
        Scenario.CALLS: "",
        Scenario.AWAY: server.FOUR_SECONDS,
        Scenario.BUSY: server.BACKS_OFF,
        Scenario.KEY: server.TELLS_NOBODY,
        Scenario.BIG: server.SENDS_IT_AGAIN,
    },
)

CLIENTS = (SEGMENT, SEGMENT_NPM, RUDDER, OPENPANEL)
