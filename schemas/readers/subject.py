"""Read what users and groups have in common from their traits."""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from schemas.dates import Moment
from schemas.readers.members import NONE, Members, form_of
from schemas.readers.once import once
from schemas.readers.values import email_of


def by_form(*readers: str) -> dict[str, str]:
    return {form_of(reader): reader for reader in readers}


class Subject(msgspec.Struct, frozen=True, dict=True):
    """A user or a group, as one message tells of it."""

    id: str | None
    members: Members
    """The traits as they were sent: `members.text("favourite colour")` reads one that has no reader."""

    readers: ClassVar[dict[str, str]] = by_form(
        "avatar", "city", "country", "created", "description", "email", "name", "phone", "postal_code", "region",
        "state", "street", "website",
    )  # fmt: skip
    """From the normal form of a trait's name to its reader."""

    @property
    def beside(self) -> Members:
        """Where else in the message some clients write what belongs to the traits."""
        return NONE

    @once
    def address(self) -> Members:
        return self.members.within("address")

    @once
    def traits(self) -> dict[str, Any]:
        """All traits as they were sent, and the id."""
        return self.members.raw if self.id is None else {**self.members.raw, "id": self.id}

    def renamed(self, names: Mapping[str, str]) -> dict[str, Any]:
        """The traits with some under a vendor's names, read as the readers do: `{"firstName": "$first_name"}`."""
        renamed = Members(self.traits).renamed(names)
        for old, new in names.items():
            reader = self.readers.get(form_of(old))
            value = getattr(self, reader) if reader else None
            if value is not None:
                renamed[new] = value.text() if isinstance(value, Moment) else value
        return renamed

    @property
    def name(self) -> str | None:
        return self.members.text("name")

    @property
    def email(self) -> str | None:
        """The address, also where it is the id."""
        return self.members.text("email") or self.beside.text("email") or email_of(self.id)

    @property
    def created(self) -> Moment | None:
        return self.members.date("createdAt", "created")

    @property
    def avatar(self) -> str | None:
        return self.members.text("avatar", "photoUrl", "avatarUrl")

    @property
    def description(self) -> str | None:
        return self.members.text("description", "background")

    @property
    def phone(self) -> str | None:
        return self.members.label("phone") or next(iter(self.phones), None)

    @property
    def phones(self) -> tuple[str, ...]:
        return self.members.labels("phones", "phone")

    @property
    def website(self) -> str | None:
        return self.members.label("website") or next(iter(self.websites), None)

    @property
    def websites(self) -> tuple[str, ...]:
        return self.members.labels("websites", "website")

    @property
    def street(self) -> str | None:
        return self._part("street")

    @property
    def city(self) -> str | None:
        return self._part("city")

    @property
    def state(self) -> str | None:
        return self._part("state")

    @property
    def region(self) -> str | None:
        return self._part("region")

    @property
    def postal_code(self) -> str | None:
        return self._part("postalCode", "zip")

    @property
    def country(self) -> str | None:
        return self._part("country")

    def _part(self, *names: str) -> str | None:
        """A part of the address, from the trait `address` or from beside it."""
        for name in names:
            part = self.address.label(name) or self.members.label(f"address.{name}", name)
            if part is not None:
                return part
        return self._part_beside(names)

    def _part_beside(self, names: tuple[str, ...]) -> str | None:
        address = self.beside.within("address")
        for name in names:
            part = address.label(name) or self.beside.label(name)
            if part is not None:
                return part
        return None
