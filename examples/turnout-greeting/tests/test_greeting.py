"""The greeting keeps the contract of every destination, and greets by name."""

from pathlib import Path
from typing import Any, ClassVar

from turnout_greeting import Greeting

from destinations.samples import envelope_of, message
from destinations.testing import HttpAdapterContract


class TestGreeting(HttpAdapterContract):
    destination = Greeting
    table: ClassVar[dict[str, Any]] = {"url": "https://greetings.example.com/", "token": "planted-token"}

    def test_who_is_identified_is_greeted_by_name(self, tmp_path: Path) -> None:
        (request,) = self.requests_for(envelope_of(message("identify", "full")), tmp_path)
        assert request.body == b'{"id":"identify-full","text":"Hello, Ada Lovelace!"}'
        assert request.headers["Authorization"] == "Bearer planted-token"
