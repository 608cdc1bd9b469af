"""Read from a message what vendors' mappings need, under the names and by the rules that they share."""

from typing import Any

import msgspec
from msgspec import UNSET

from schemas.dates import Moment
from schemas.identifiers import id_text
from schemas.readers import surroundings
from schemas.readers.events import meaning
from schemas.readers.find import find
from schemas.readers.group import Group
from schemas.readers.members import NONE, Members, members_of
from schemas.readers.once import once
from schemas.readers.order import Order
from schemas.readers.page import Page
from schemas.readers.surroundings import Library
from schemas.readers.times import happened
from schemas.readers.user import User
from schemas.readers.values import text_of


class Reader(msgspec.Struct, frozen=True, dict=True):
    """A view of one message. It works out what it is asked for, never changes the message, and never raises.

    What cannot be read is None, as is what is missing.
    """

    message: dict[str, Any]

    @property
    def type(self) -> str | None:
        return text_of(self.message.get("type"))

    @property
    def time(self) -> Moment | None:
        """When it happened."""
        return happened(self.message)

    @once
    def user(self) -> User:
        said = self.message
        traits = said.get("traits") if said.get("type") == "identify" else self.context.get("traits")
        return User(self.user_id, members_of(traits), said)

    @property
    def user_id(self) -> str | None:
        said = self.message
        found = id_text(said.get("userId"))
        return found or (id_text(said.get("to")) if said.get("type") == "alias" else "") or None

    @property
    def anonymous_id(self) -> str | None:
        return self.user.anonymous_id

    @property
    def previous_id(self) -> str | None:
        """Whom an alias is about."""
        return id_text(self.message.get("previousId")) or id_text(self.message.get("from")) or None

    @once
    def group(self) -> Group:
        said = self.message
        if said.get("type") != "group":
            return Group(id_text(self.context.get("groupId")) or None, NONE)
        traits = said.get("traits") or said.get("properties")
        return Group(id_text(said.get("groupId")) or None, members_of(traits))

    @property
    def group_ids(self) -> tuple[str, ...]:
        """All the groups that the message belongs to."""
        own = self.group.id
        others = surroundings.group_ids(self.context)
        return others if own is None else tuple(dict.fromkeys((own, *others)))

    @once
    def order(self) -> Order:
        said = self.message.get("properties")
        return Order(said if isinstance(said, dict) else {}, self.message.get("event"))

    @once
    def page(self) -> Page:
        mine = self.order if self.type in ("page", "screen") else NONE
        return Page(self.type, self.message, mine, self.context.within("page"))

    @property
    def event(self) -> str | None:
        """The event of a track, to the letter; what to call a page or screen where there are only events."""
        return id_text(self.message.get("event")) or None if self.type == "track" else self.page.event

    @property
    def meaning(self) -> str | None:
        """The reserved event that a track stands for, as the spec writes it: `Order Completed`."""
        return meaning(self.message.get("event")) if self.type == "track" else None

    @property
    def traits(self) -> dict[str, Any]:
        """Those of the group in a group message, else those of the user; with the id."""
        return self.group.traits if self.type == "group" else self.user.traits

    @property
    def properties(self) -> dict[str, Any]:
        """As they were sent; those of a page or screen with its category and name."""
        said = self.order.raw
        named = {"category": self.page.category, "name": self.page.name}
        known = {name: value for name, value in named.items() if value}
        return {**said, **known} if known else said

    @once
    def context(self) -> Members:
        return members_of(self.message.get("context"))

    @property
    def library(self) -> Library:
        return surroundings.library(self.context)

    @property
    def device(self) -> dict[str, Any]:
        return surroundings.device(self.context)

    @property
    def device_type(self) -> str | None:
        return Members(self.device).text("type")

    @property
    def active(self) -> bool:
        """Whether the user did it, rather than something on their behalf."""
        return self.context.get("active") is not False

    @property
    def referrer(self) -> str | None:
        context = self.context
        within = context.within("referrer").text("url") or context.within("page").text("referrer")
        return within or self.order.text("referrer")

    def options(self, destination: str) -> dict[str, Any]:
        """What `integrations` say to that destination alone."""
        said = members_of(self.message.get("integrations")).get(destination)
        return said if isinstance(said, dict) else {}

    def path(self, path: str) -> Any:
        """The value at a loose path (`traits.address.city`, `properties.products.0.sku`); its first part is exact."""
        first, _, rest = path.partition(".")
        match first:
            case "traits":
                inside: Any = self.traits
            case "properties":
                inside = self.properties
            case _:
                inside = self.message.get(first)
        found = find(inside, rest) if rest else inside
        return None if found is UNSET else found


def of(message: dict[str, Any]) -> Reader:
    return Reader(message)
