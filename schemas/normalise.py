"""Turn a message as a client sent it into the message that the spec says was meant. Pure.

The order is: the type from the path, old member names, context and integrations with those of the batch under
them, the check against the JSON Schema, ids, traits and properties, times.
"""

from collections.abc import Callable
from typing import Any

from schemas.arrival import Arrival
from schemas.catalog import KINDS
from schemas.clocks import settle_times
from schemas.context import settled_context
from schemas.errors import Invalid, Violation
from schemas.identifiers import settle_ids, settle_message_id
from schemas.legacy import OLD_MEMBERS, rename_alias_members, rename_members
from schemas.limits import Limits
from schemas.merge import merged
from schemas.notes import Note, note, record
from schemas.objects import as_object
from schemas.reserved import GROUP, USER, settled
from schemas.validate import is_valid, violations
from schemas.wording import SOME_KIND, described

_KINDS = frozenset(KINDS)


def normalise(raw: dict[str, Any], arrival: Arrival, new_id: Callable[[], str], limits: Limits) -> dict[str, Any]:
    """The message as it is stored. Raises Invalid. It may change `raw` and return it: the caller gives it away."""
    notes: list[Note] = [*arrival.notes]
    if not OLD_MEMBERS.isdisjoint(raw):
        rename_members(raw, notes)
    kind = _kind(raw, arrival.kind, notes)
    if kind == "alias":
        rename_alias_members(raw)
    _settle_surroundings(raw, arrival, notes)
    if not is_valid(raw, kind):
        raise Invalid(violations(raw, kind))
    settle_ids(raw)
    settle_message_id(raw, new_id, limits.message_id_chars, notes)
    _settle_members(raw, kind, notes)
    settle_times(raw, arrival.sending, arrival.received_at, arrival.received_at_ms, notes)
    raw.pop("writeKey", None)
    if notes:
        record(raw, notes)
    return raw


def _kind(message: dict[str, Any], of_path: str | None, notes: list[Note]) -> str:
    """The type of the message, which the message then says too."""
    said = message.get("type")
    if of_path is None:
        if said.__class__ is str and said in _KINDS:
            return said
        raise _unknown_kind(message, said)
    if said != of_path:
        message["type"] = of_path
        if said is not None and said != "":
            notes.append(note("type", "path_wins", said))
    return of_path


def _unknown_kind(message: dict[str, Any], said: object) -> Invalid:
    if "type" not in message:
        return Invalid((Violation("type", "required", SOME_KIND, "nothing"),))
    if said == "delete":
        return Invalid((Violation("type", "enum", SOME_KIND, "delete, which is only ever sent outwards"),))
    found = "another string" if isinstance(said, str) and said else described(said)
    return Invalid((Violation("type", "enum", SOME_KIND, found),))


def _settle_surroundings(message: dict[str, Any], arrival: Arrival, notes: list[Note]) -> None:
    """Settle context and integrations, with those of the batch under the message's own."""
    context = settled_context(message.get("context"), notes)
    if arrival.context:
        # Both are settled before they meet, or a spelling of the batch could win over one of the message; and once
        # more after that, because together they may hold two spellings that neither held alone.
        context = settled_context(merged(arrival.context, context), notes)
    message["context"] = context
    if "integrations" in message or arrival.integrations is not None:
        _settle_integrations(message, arrival, notes)


def _settle_integrations(message: dict[str, Any], arrival: Arrival, notes: list[Note]) -> None:
    if message.get("integrations") is not None:
        own = as_object(message["integrations"], "integrations", notes)
        message["integrations"] = merged(arrival.integrations, own) if arrival.integrations else own
    elif arrival.integrations is not None:
        message["integrations"] = dict(arrival.integrations)
    else:
        del message["integrations"]


def _settle_members(message: dict[str, Any], kind: str, notes: list[Note]) -> None:
    """Settle what the type of the message is about: its traits, its properties, its names."""
    match kind:
        case "track":
            _fill(message, "properties")
        case "identify":
            if _fill(message, "traits"):
                message["traits"] = settled(message["traits"], USER, "traits", notes)
            elif "traits" in message["context"]:
                _take_traits_of_context(message, notes)
        case "group":
            if _fill(message, "traits"):
                message["traits"] = settled(message["traits"], GROUP, "traits", notes)
        case "page" | "screen":
            _fill(message, "properties")
            _drop_empty_labels(message)
        case "alias":
            if "previousId" not in message:
                message["previousId"] = message["anonymousId"]


def _take_traits_of_context(message: dict[str, Any], notes: list[Note]) -> None:
    """Some SDKs write the traits of an identify nowhere else. They stay there too."""
    traits = message["context"]["traits"]
    if traits and traits.__class__ is dict:
        notes.append(note("traits", "from_context"))
        message["traits"] = settled(dict(traits), USER, "traits", notes)


def _drop_empty_labels(message: dict[str, Any]) -> None:
    for name in ("name", "category"):
        if name in message and not message[name]:
            del message[name]


def _fill(message: dict[str, Any], name: str) -> bool:
    """Make an empty object of null and of the empty array; whether there is anything in it."""
    if name not in message:
        return False
    if message[name]:
        return True
    message[name] = {}
    return False
