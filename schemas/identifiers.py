"""Make strings of the ids of a message. Pure."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from schemas.errors import Invalid, Violation
from schemas.notes import Note, note

_IDS = ("userId", "anonymousId", "groupId", "previousId")


def settle_ids(message: dict[str, Any]) -> None:
    """Leave out the ids that are absent and write those that are numbers as strings."""
    for name in _IDS:
        if name in message:
            value = message[name]
            if value.__class__ is not str:
                _settle_other_id(message, name, value)
            elif not value:
                del message[name]


def _settle_other_id(message: dict[str, Any], name: str, value: float | None) -> None:
    if value is None:
        del message[name]
    else:
        message[name] = decimal_text(value)


def settle_message_id(message: dict[str, Any], new_id: Callable[[], str], longest: int, notes: list[Note]) -> None:
    """Make sure that the message has a messageId that is a string."""
    value = message.get("messageId")
    if value.__class__ is str and 0 < len(value) <= longest:
        return
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = decimal_text(value)
    elif not isinstance(value, str):
        if value is not None:
            notes.append(note("messageId", "replaced", value))
        value = ""
    if len(value) > longest:
        expected, found = f"at most {longest} characters long", f"{len(value)} characters long"
        raise Invalid((Violation("messageId", "maxLength", expected, found),))
    message["messageId"] = value or new_id()


def id_text(value: object) -> str:
    """The value as an id, to the letter; empty when it is none."""
    match value:
        case str():
            return value
        case bool():
            return ""
        case int() | float():
            return decimal_text(value)
        case _:
            return ""


def decimal_text(number: float) -> str:
    """The number as digits: `42` for 42 and for 42.0, never with an exponent."""
    if isinstance(number, int):
        return str(number)
    if number.is_integer():
        return str(int(number))
    return format(Decimal(repr(number)), "f")
