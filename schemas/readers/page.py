"""Read which page or screen a message is about."""

from typing import Any

import msgspec

from schemas.readers.members import NONE, Members
from schemas.readers.values import label_of

_KINDS = {"page": "Page", "screen": "Screen"}


class Page(msgspec.Struct, frozen=True):
    """The page or screen that was seen; for other messages the page on which they happened."""

    type: str | None
    message: dict[str, Any]
    members: Members = NONE
    """The properties of a page or screen message, none for other messages."""
    around: Members = NONE
    """`context.page`."""

    @property
    def name(self) -> str | None:
        return label_of(self.message.get("name")) if self._kind else None

    @property
    def category(self) -> str | None:
        return label_of(self.message.get("category")) if self._kind else None

    @property
    def full_name(self) -> str | None:
        """`category name`, or the name alone."""
        name, category = self.name, self.category
        return f"{category} {name}" if name and category else name

    @property
    def event(self) -> str | None:
        """What to call it where there are only events: `Viewed Docs Home Page`, `Loaded a Page`."""
        return self.event_called(self.full_name)

    def event_called(self, name: str | None) -> str | None:
        kind = self._kind
        if not kind:
            return None
        return f"Viewed {name} {kind}" if name else f"Loaded a {kind}"

    @property
    def title(self) -> str | None:
        return self._said("title")

    @property
    def path(self) -> str | None:
        return self._said("path")

    @property
    def url(self) -> str | None:
        return self._said("url")

    @property
    def search(self) -> str | None:
        return self._said("search")

    @property
    def _kind(self) -> str | None:
        return _KINDS.get(self.type or "")

    def _said(self, name: str) -> str | None:
        return self.members.text(name) or self.around.text(name)
