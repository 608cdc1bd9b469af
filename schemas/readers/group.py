"""Read the group that a group message is about."""

from typing import ClassVar

from schemas.readers.subject import Subject, by_form
from schemas.readers.values import Number, count_of


class Group(Subject, frozen=True):
    """Of messages of other types only the id is known."""

    readers: ClassVar[dict[str, str]] = Subject.readers | by_form("employees", "industry", "plan")

    @property
    def industry(self) -> str | None:
        return self.members.text("industry")

    @property
    def employees(self) -> Number | str | None:
        """A number where it is one, else the text: `51-200`."""
        return count_of(self.members.get("employees"))

    @property
    def plan(self) -> str | None:
        return self.members.label("plan")
