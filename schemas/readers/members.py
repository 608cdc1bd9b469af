"""Read the members of one object by name, however they are spelled, as the type that is asked for."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from schemas.dates import Moment
from schemas.readers.once import once
from schemas.readers.values import Number, amount_of, date_of, label_of, number_of, text_of
from schemas.remembered import Remembered
from schemas.reserved import is_ours, normal

T = TypeVar("T")


class _Forms(Remembered[str]):
    """From a key to its normal form; empty for a key that matches no name."""

    def _of(self, text: str) -> str:
        return normal(text) if is_ours(text) else ""


_FORMS = _Forms()
form_of = _FORMS.__getitem__


class Members(msgspec.Struct, frozen=True, dict=True):
    """Of two spellings of one name the exact one counts if it is not null, then the first that is not null.

    The collector chooses in the same way when it stores reserved traits. Each method takes several names: the first
    that gives something of the wanted type answers.
    """

    raw: dict[str, Any] = {}

    @once
    def _loose(self) -> dict[str, Any]:
        """By normal form; made only when a name is not there as it is asked for."""
        raw = self.raw
        # Backwards, because the first is to stay.
        pairs = zip(map(form_of, reversed(raw)), reversed(raw.values()), strict=True)
        found = dict(pairs if None not in raw.values() else [pair for pair in pairs if pair[1] is not None])
        found.pop("", None)
        return found

    def get(self, name: str) -> Any:
        """The value as it was sent; None where there is none."""
        value = self.raw.get(name)
        return self._loose.get(_FORMS[name]) if value is None else value

    def has(self, name: str) -> bool:
        """Whether the name is there in any spelling, if only as null."""
        return name in self.raw or (bool(_FORMS[name]) and _FORMS[name] in map(form_of, self.raw))

    def text(self, *names: str) -> str | None:
        return self._first(text_of, names)

    def label(self, *names: str) -> str | None:
        """A text; a number counts as its digits."""
        return self._first(label_of, names)

    def number(self, *names: str) -> Number | None:
        return self._first(number_of, names)

    def amount(self, *names: str) -> Number | None:
        """A number; one of money may be written as text."""
        return self._first(amount_of, names)

    def date(self, *names: str) -> Moment | None:
        return self._first(date_of, names)

    def labels(self, plural: str, singular: str) -> tuple[str, ...]:
        """Those of the list, even if there are none; without a list the one, if there is one."""
        several = self.get(plural)
        if several.__class__ is list:
            return tuple(text for text in map(label_of, several) if text is not None)
        one = self.label(singular)
        return () if one is None else (one,)

    def renamed(self, names: Mapping[str, str]) -> dict[str, Any]:
        """All members, some of them under other names: `{"email": "$email"}`. No spelling of an old name stays."""
        forms = {_FORMS[name] for name in names} - {""}
        kept = {key: value for key, value in self.raw.items() if key not in names and _FORMS[key] not in forms}
        return kept | {new: self.get(old) for old, new in names.items() if self.has(old)}

    def _first(self, read: Callable[[Any], T | None], names: tuple[str, ...]) -> T | None:
        raw = self.raw
        for name in names:
            value = raw.get(name)
            if value is None:
                value = self._loose.get(_FORMS[name])
            if value is not None and (answer := read(value)) is not None:
                return answer
        return None

    def within(self, name: str) -> "Members":
        """The members of the object under that name, or none."""
        return members_of(self.get(name))


def members_of(value: object) -> Members:
    """The members of an object; none of anything else."""
    return Members(value) if isinstance(value, dict) else NONE


NONE = Members()
