"""The published JSON Schemas as components of the OpenAPI document, with the limits in force."""

import re
from typing import Any

from collector.openapi.parts import Json
from schemas import catalog
from schemas.limits import Limits

_PLACE = re.compile(r"(?:([a-z]+)\.json)?(?:#(/.*))?")


def shapes(limits: Limits) -> dict[str, Json]:
    """Every schema by its name."""
    found = {name: _settled(catalog.schema(name), name) for name in catalog.names()}
    # As its decimal string a number may be too long, which no schema can say: here is what surely is not.
    found["common"]["$defs"]["messageId"] |= {
        "type": ["string", "integer", "null"],
        "minimum": 0,
        "maximum": 10 ** min(limits.message_id_chars, 15) - 1,
        "maxLength": limits.message_id_chars,
    }
    found["batch"]["properties"]["batch"]["maxItems"] = limits.batch_messages
    return found


def _settled(value: Any, name: str) -> Any:
    """The value with its references leading into the document; `name` is the schema in which it stands."""
    match value:
        case dict():
            kept = {key: inner for key, inner in value.items() if key not in ("$schema", "$id")}
            return {key: _place(inner, name) if key == "$ref" else _settled(inner, name) for key, inner in kept.items()}
        case list():
            return [_settled(inner, name) for inner in value]
        case _:
            return value


def _place(reference: str, name: str) -> str:
    found = _PLACE.fullmatch(reference)
    if found is None:
        raise ValueError(f"the schema {name} refers to {reference!r}, which is none of ours")
    return f"#/components/schemas/{found[1] or name}{found[2] or ''}"
