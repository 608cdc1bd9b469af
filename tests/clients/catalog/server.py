"""The clients that run on servers, as they are published, and what each does in the scenarios."""

from tests.clients.certificate import Client, Scenario

_SENDS_IT = "Sends it; Turnout takes the rest of the batch and keeps that one in quarantine."
_RAISES = "Refuses it itself, with an error to the caller; the rest is sent."
_LOGS = "Drops it itself, with a line in its log; the rest is sent."
_WAITS = "Waits as long as `Retry-After` says."
_BACKS_OFF = "Tries again with pauses of its own, whatever `Retry-After` says."
_ONCE = "Tells the application, and does not try again."


def _scenarios(*, away: str = "", busy: str, key: str = _ONCE, big: str) -> dict[Scenario, str]:
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
    scenarios=_scenarios(busy=_WAITS, big=_SENDS_IT),
)
NODE_6 = Client(
    name="analytics-node",
    version="6.2.0",
    kind="server",
    language="Node",
    points="`host`",
    scenarios=_scenarios(
        away="Tries four times within about two seconds, then gives up.", busy=_BACKS_OFF, big=_RAISES
    ),
)
PYTHON_2_4 = Client(
    name="segment-analytics-python",
    version="2.4.0",
    kind="server",
    language="Python",
    points="`host`",
    scenarios=_scenarios(busy=_WAITS, big=_RAISES),
)
PYTHON_2_3 = Client(
    name="segment-analytics-python",
    version="2.3.4",
    kind="server",
    language="Python",
    points="`host`",
    scenarios=_scenarios(busy=_BACKS_OFF, big=_RAISES),
)
PYTHON_1_4 = Client(
    name="analytics-python",
    version="1.4.post1",
    kind="server",
    language="Python",
    points="`host`",
    scenarios=_scenarios(busy=_BACKS_OFF, big=_LOGS),
)
GO = Client(
    name="github.com/segmentio/analytics-go/v3",
    version="3.3.0",
    kind="server",
    language="Go",
    points="`Config.Endpoint`",
    scenarios=_scenarios(
        away="Tries ten times within about half a minute, then gives up.",
        busy=_BACKS_OFF,
        key="Tries ten times, then tells the application.",
        big=_RAISES,
    ),
)
JAVA = Client(
    name="com.segment.analytics.java:analytics",
    version="3.5.4",
    kind="server",
    language="Java",
    points="`endpoint(...)`",
    scenarios=_scenarios(away="Tries again after 15 seconds, then after twice as long.", busy=_BACKS_OFF, big=_RAISES),
)
RUDDER_NODE = Client(
    name="@rudderstack/rudder-sdk-node",
    version="3.0.13",
    kind="server",
    language="Node",
    points="`dataPlaneUrl`",
    scenarios=_scenarios(
        away="Tries four times within about two seconds, then gives up.", busy=_BACKS_OFF, big=_RAISES
    ),
)
RUDDER_PYTHON = Client(
    name="rudder-sdk-python",
    version="2.1.9",
    kind="server",
    language="Python",
    points="`dataPlaneUrl`",
    scenarios=_scenarios(busy=_BACKS_OFF, big=_SENDS_IT),
)

CLIENTS = (NODE_3, NODE_6, PYTHON_2_4, PYTHON_2_3, PYTHON_1_4, GO, JAVA, RUDDER_NODE, RUDDER_PYTHON)
