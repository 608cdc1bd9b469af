"""Tell what a message's `integrations` say about one destination. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

_OFF_UNLESS_NAMED = frozenset({"Salesforce"})
"""The spec's default is `{"All": true, "Salesforce": false}`."""


class Enabled(msgspec.Struct, frozen=True):
    options: dict[str, Any] = {}
    """What the message wants to tell this destination alone."""


class Disabled(msgspec.Struct, frozen=True):
    by: str
    """The entry that said so, as the message spells it."""


Choice = Enabled | Disabled


def choice(integrations: Mapping[str, Any] | None, name: str) -> Choice:
    """Whether the destination of that name is to get the message.

    Only true, false and objects say anything; null, strings, numbers and arrays do not. Names are exact, except
    that old clients spell `All` in other ways.
    """
    said = integrations.get(name) if integrations else None
    match said:
        case True:
            return Enabled()
        case False:
            return Disabled(name)
        case dict():
            return Enabled(said)
        case _:
            return _for_all(integrations or {}, name)


def allows(integrations: Mapping[str, Any] | None, name: str) -> bool:
    """Whether the destination of that name is to get the message, whatever the options."""
    return isinstance(choice(integrations, name), Enabled)


def _for_all(integrations: Mapping[str, Any], name: str) -> Choice:
    spelled = [key for key, value in integrations.items() if key.strip().lower() == "all" and isinstance(value, bool)]
    decisive = "All" if "All" in spelled else next(iter(spelled), None)
    if decisive is not None and not integrations[decisive]:
        return Disabled(decisive)
    return Disabled(name) if name in _OFF_UNLESS_NAMED else Enabled()
