"""The console keeps the contract of every adapter."""

from destinations.builtin.console import Console
from destinations.testing import AdapterContract


class TestConsole(AdapterContract):
    destination = Console


class TestPrettyConsole(AdapterContract):
    destination = Console
    table = {"format": "pretty"}  # noqa: RUF012  the base says it is a class variable
