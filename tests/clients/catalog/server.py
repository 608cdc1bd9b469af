"""The clients that run on servers, as they are published, and what each does in the scenarios."""

from tests.clients.certificate import Client, Scenario

# The tests hold every client to its words, so these say what was seen.
WAITS = "Waits as long as `Retry-After` says."
BACKS_OFF = "Tries again with pauses of its own, whatever `Retry-After` says."
GIVES_UP = "Gives up at once, as published: what it sends while it is refused is lost. Its log says so."
TELLS_ONCE = "Tells the application, and does not try again."
TELLS_LATE = "Tries ten times, then tells the application."
TELLS_NOBODY = "Does not try again, and does not tell the application."
SENDS_IT = "Sends it; Turnout takes the rest of the batch and keeps that one in quarantine."
SENDS_IT_ALONE = "Sends it, a request of its own; Turnout refuses it and keeps it in quarantine."
SENDS_IT_AGAIN = "Sends it four times; Turnout refuses it each time and keeps it in quarantine each time."
RAISES = "Refuses it itself, with an error to the caller; the rest is sent."
LOGS = "Drops it itself, with a line in its log; the rest is sent."
# How long an outage may be: from what the clients publish about themselves.
TWO_SECONDS = "Tries four times within about two seconds, then gives up."
FOUR_SECONDS = "Tries four times within about four seconds, then gives up."
HALF_A_MINUTE = "Tries ten times within about half a minute, then gives up."
SLOWLY = "Tries again after 15 seconds, then after twice as long."


def _scenarios(*, away: str = "", busy: str, key: str = TELLS_ONCE, big: str) -> dict[Scenario, str]:
    return {
        Scenario.CALLS: "",
        Scenario.AWAY: away,
        Scenario.BUSY: busy,
        Scenario.KEY: key,
        Scenario.BIG: big,
    }


NODE_3 = Client(
    name="@segment/analytics-node",
    version="3.1.0",
    kind="server",
    language="Node",
    points="`host`",
    scenarios=_scenarios(busy=WAITS, big=SENDS_IT),
)
NODE_6 = Client(
    name="analytics-node",
    version="6.2.0",
    kind="server",
    language="Node",
    points="`host`",
    scenarios=_scenarios(away=TWO_SECONDS, busy=BACKS_OFF, big=RAISES),
)
PYTHON_2_4 = Client(
    name="segment-analytics-python",
    version="2.4.0",
    kind="server",
    language="Python",
    points="`host`",
    scenarios=_scenarios(busy=WAITS, big=RAISES),
)
PYTHON_2_3 = Client(
    name="segment-analytics-python",
    version="2.3.4",
    kind="server",
    language="Python",
    points="`host`",
    scenarios=_scenarios(busy=BACKS_OFF, big=RAISES),
)
PYTHON_1_4 = Client(
    name="analytics-python",
    version="1.4.post1",
    kind="server",
    language="Python",
    points="`host`",
    scenarios=_scenarios(busy=BACKS_OFF, big=LOGS),
)
GO = Client(
    name="github.com/segmentio/analytics-go/v3",
    version="3.3.0",
    kind="server",
    language="Go",
    points="`Config.Endpoint`",
    scenarios=_scenarios(
        away=HALF_A_MINUTE,
        busy=BACKS_OFF,
        key=TELLS_LATE,
        big=RAISES,
    ),
)
JAVA = Client(
    name="com.segment.analytics.java:analytics",
    version="3.5.4",
    kind="server",
    language="Java",
    points="`endpoint(...)`",
    scenarios=_scenarios(away=SLOWLY, busy=BACKS_OFF, big=RAISES),
)
RUDDER_NODE = Client(
    name="@rudderstack/rudder-sdk-node",
    version="3.0.13",
    kind="server",
    language="Node",
    points="`dataPlaneUrl`",
    scenarios=_scenarios(away=TWO_SECONDS, busy=BACKS_OFF, big=SENDS_IT),
)
RUDDER_PYTHON = Client(
    name="rudder-sdk-python",
    version="2.1.9",
    kind="server",
    language="Python",
    points="`dataPlaneUrl`",
    scenarios=_scenarios(busy=BACKS_OFF, big=SENDS_IT),
)

JITSU = Client(
    name="@jitsu/js",
    version="1.11.0",
    kind="server",
    language="Node",
    points="`host`",
    scenarios=_scenarios(away=GIVES_UP, busy=GIVES_UP, key=TELLS_NOBODY, big=SENDS_IT_ALONE),
    loses=frozenset({Scenario.AWAY, Scenario.BUSY}),
)
OPENPANEL = Client(
    name="@openpanel/sdk",
    version="1.3.1",
    kind="server",
    language="Node",
    points="`apiUrl`",
    scenarios=_scenarios(away=FOUR_SECONDS, busy=BACKS_OFF, key=TELLS_NOBODY, big=SENDS_IT_AGAIN),
)

CLIENTS = (NODE_3, NODE_6, PYTHON_2_4, PYTHON_2_3, PYTHON_1_4, GO, JAVA, RUDDER_NODE, RUDDER_PYTHON, OPENPANEL, JITSU)
