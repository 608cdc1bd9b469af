"""Dopt's clients for users and groups, as they are published, and what each does in the scenarios."""

from tests.clients.certificate import Client, Scenario

_TELLS = "Tells the application, and does not try again."
_AT_ONCE = "Tries three times within milliseconds, then tells the application."
_ONE_BAD = "The others are stored; the application is told which one was refused, and why."

PYTHON = Client(
    name="dopt-users-python-client",
    version="1.0.9",
    kind="server",
    language="Python",
    points="`base_url`",
    scenarios={
        Scenario.CALLS: "",
        Scenario.AWAY: _TELLS,
        Scenario.BUSY: _TELLS,
        Scenario.KEY: _TELLS,
        Scenario.BIG: _ONE_BAD,
    },
)
JAVASCRIPT = Client(
    name="@dopt/users-javascript-client",
    version="0.1.2",
    kind="server",
    language="Node",
    points="`environment`",
    scenarios={
        Scenario.CALLS: "",
        Scenario.AWAY: _AT_ONCE,
        Scenario.BUSY: _AT_ONCE,
        Scenario.KEY: _TELLS,
        Scenario.BIG: _ONE_BAD,
    },
)

CLIENTS = (PYTHON, JAVASCRIPT)
