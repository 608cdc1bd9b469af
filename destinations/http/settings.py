"""The settings that every HTTP destination has."""

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from destinations.http.guard import Guard
from destinations.http.values import HttpUrl
from destinations.values import Duration

Port = Annotated[int, Meta(ge=1, le=65_535)]


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Base of an HTTP destination's settings; every HttpUrl in a subclass is checked against the switches here."""

    timeout: Annotated[Duration, Meta(gt=0, le=60, description="How long one request may take.")] = Duration(5)
    concurrency: Annotated[int, Meta(ge=1, le=256, description="How many requests run at the same time.")] = 16
    allow_private: Annotated[
        bool, Meta(description="Allow addresses that are not public, and with them plain http and any port.")
    ] = False
    allow_http: Annotated[bool, Meta(description="Allow plain http to public addresses.")] = False
    allow_ports: Annotated[list[Port], Meta(description="Ports allowed beside 80, 443, 8080, 8443.")] = []

    def __post_init__(self) -> None:
        problems = tuple(self._problems())
        if problems:
            raise ValueError(*problems)

    @property
    def guard(self) -> Guard:
        return Guard(self.allow_private, frozenset(self.allow_ports))

    def urls(self) -> dict[str, HttpUrl]:
        """The URLs among the settings, by name."""
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in values.items() if isinstance(value, HttpUrl)}

    def _problems(self) -> Iterator[str]:
        if self.allow_private:
            return
        for name, url in self.urls().items():
            if place := url.hidden_place:
                yield f"{name} points to an address that is not public ({place}): set allow_private = true to allow it"
            elif url.is_plain and not self.allow_http:
                yield f"{name} must be https: set allow_http = true to allow plain http"
