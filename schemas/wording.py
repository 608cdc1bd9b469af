"""Put the errors of a JSON Schema validator in words, with Segment's discard codes. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from jsonschema.exceptions import ValidationError

from schemas.catalog import KINDS
from schemas.errors import Violation

SOME_ID = "a non-empty string or a number"
SOME_KIND = "one of " + ", ".join(KINDS)

_MISSING = {
    "event": "a non-empty string",
    "groupId": SOME_ID,
    "userId": SOME_ID,
    "type": SOME_KIND,
    "batch": "a list of messages",
    "op": "one of upsert, increment",
    "trait": "names joined by dots, such as visits.total",
    "by": "a number other than 0",
}
_TYPES = {"string": "a string", "number": "a number", "object": "an object", "array": "a list", "null": "null"}
_IDS = frozenset({"userId", "anonymousId", "groupId", "previousId"})
_CODES = {
    "properties": "properties_not_object",
    "traits": "traits_not_object",
    "name": "name_not_string",
    "category": "category_not_string",
}


def violation(error: ValidationError) -> Violation:
    """The error as a violation, at the place that the client has to mend."""
    path = [str(step) for step in error.absolute_path]
    there: Any = error.instance
    match error.validator:
        case "required":
            name = next(name for name in _value(error) if name not in there)
            code = _code(name, None)
            return Violation(".".join([*path, name]), "required", _MISSING[name], "nothing", code)
        case "anyOf" if "previousId" in _names(error):
            where = ".".join([*path, "previousId"])
            expected = f"{SOME_ID}, unless there is an anonymousId to take its place"
            return Violation(where, "required", expected, "nothing", "id_required")
        case "anyOf":
            expected, found = f"sent with a userId or an anonymousId ({SOME_ID})", "sent with neither"
            return Violation(".".join(path), "anyOf", expected, found, "no_user_anon_id")
        case rule:
            code = _code(path[-1] if path else "", there)
            return Violation(".".join(path), str(rule), _expected(error), _found(error), code)


def alternatives(error: ValidationError) -> list[str]:
    """The paths of the ids of which an `anyOf` wants one."""
    return [".".join([*(str(step) for step in error.absolute_path), name]) for name in _names(error)]


def described(value: object) -> str:
    """What kind of value it is, without telling the value."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "a string" if value else "an empty string"
        case int() | float():
            return "a number"
        case Mapping():
            return "an object"
        case _:
            return "a list" if value else "an empty list"


def _found(error: ValidationError) -> str:
    found: Any = error.instance
    if error.validator == "maxLength":
        return f"{len(found)} characters long"
    if error.validator == "maxItems" and _value(error):
        return f"{len(found)} of them"
    if error.validator in ("const", "enum", "pattern") and isinstance(found, str):
        return "another string"
    return described(found)


def _names(error: ValidationError) -> list[str]:
    return [option["required"][0] for option in _value(error)]


def _value(error: ValidationError) -> Any:
    """The value of the keyword that failed, in the schema."""
    return error.validator_value


def _expected(error: ValidationError) -> str:
    rule, limit = error.validator, _value(error)
    if rule == "maxLength":
        return f"at most {limit} characters long"
    if rule == "const":
        return f'"{limit}", as the path says'
    if rule == "enum":
        return "one of " + ", ".join(limit)
    if rule == "pattern":
        return _MISSING["trait"]
    if rule == "not":
        return _MISSING["by"]
    if rule == "maxItems" and limit:
        return f"at most {limit} of them"
    if rule == "minItems":
        return "a list with a message in it"
    return _types(error.schema)


def _types(schema: Any) -> str:
    """The types that a schema allows: `a non-empty string or a number`."""
    types: Sequence[str] = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    words = [_TYPES[name] for name in types if not (name == "array" and schema.get("maxItems") == 0)]
    if "minLength" in schema:
        words[0] = "a non-empty string"
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _code(name: str, value: object) -> str:
    absent = value is None or value == ""
    if name in _IDS:
        return "id_required" if absent else "id_not_string"
    if name == "event":
        return "event_not_defined" if absent else "event_not_string"
    if name == "batch" and value == []:
        return "empty_batch"
    return _CODES.get(name, "schema_violation")
