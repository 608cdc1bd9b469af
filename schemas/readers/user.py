"""Read the user of a message: ids, name, company, age."""

from typing import Any, ClassVar

from schemas.dates import Moment
from schemas.identifiers import id_text
from schemas.readers.members import NONE, Members, members_of
from schemas.readers.once import once
from schemas.readers.subject import Subject, by_form
from schemas.readers.times import happened
from schemas.readers.values import Number, text_of


class User(Subject, frozen=True):
    message: dict[str, Any]

    readers: ClassVar[dict[str, str]] = Subject.readers | by_form(
        "age", "birthday", "first_name", "gender", "last_name", "position", "username"
    )

    @once
    def beside(self) -> Members:
        """The properties; those of a group message are the group's."""
        return NONE if self.message.get("type") == "group" else members_of(self.message.get("properties"))

    @property
    def anonymous_id(self) -> str | None:
        return id_text(self.message.get("anonymousId")) or id_text(self.message.get("sessionId")) or None

    @property
    def uid(self) -> str | None:
        """The best name for the user that does not change by itself: the id, else username, else e-mail."""
        return self.id or self.username or self.email

    @property
    def name(self) -> str | None:
        """The whole name, also put together from first and last name when both are known."""
        whole = self.members.text("name")
        if whole is not None:
            return whole
        first, last = self.members.text("firstName"), self.members.text("lastName")
        return f"{first} {last}" if first and last else None

    @property
    def first_name(self) -> str | None:
        return self.members.text("firstName") or self._pieces()[0]

    @property
    def last_name(self) -> str | None:
        return self.members.text("lastName") or self._pieces()[1]

    def _pieces(self) -> tuple[str | None, str | None]:
        """The name up to its first blanks, and the rest."""
        pieces = (self.members.text("name") or "").split(maxsplit=1)
        return pieces[0] if pieces else None, pieces[1] if len(pieces) > 1 else None

    @property
    def username(self) -> str | None:
        return self.members.label("username") or self.beside.label("username")

    @property
    def position(self) -> str | None:
        return self.members.text("position", "jobTitle", "title")

    @property
    def gender(self) -> str | None:
        return self.members.text("gender")

    @property
    def birthday(self) -> Moment | None:
        return self.members.date("birthday")

    @property
    def age(self) -> Number | None:
        """In years; from the birthday: on the day of the message, by the calendar of UTC."""
        said = self.members.number("age")
        return self._age_by_birthday() if said is None else said

    def _age_by_birthday(self) -> int | None:
        born, now = self.birthday, happened(self.message)
        if born is None or now is None or born.ms > now.ms:
            return None
        birth, today = born.text(), now.text()
        return int(today[:4]) - int(birth[:4]) - (today[5:10] < birth[5:10])

    @once
    def company(self) -> Members:
        return self.members.within("company")

    @property
    def company_id(self) -> str | None:
        return self.company.label("id") or self.members.label("company.id")

    @property
    def company_name(self) -> str | None:
        """Also where the company is a text instead of an object."""
        return self.company.text("name") or self.members.text("company.name") or text_of(self.members.get("company"))

    @property
    def company_created(self) -> Moment | None:
        return self.company.date("createdAt", "created") or self.members.date("company.createdAt", "company.created")
