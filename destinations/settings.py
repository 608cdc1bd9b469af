"""Read a configuration table into a typed struct, and tell every mistake in it at once."""

import difflib
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from destinations.errors import Problem, SettingsError, Unfit
from destinations.values import Duration, Readable, Secret, Size
from destinations.wording import expected, reworded

__all__ = [
    "Duration",
    "Field",
    "Problem",
    "Secret",
    "SettingsError",
    "Size",
    "Unfit",
    "describe",
    "hide",
    "inside",
    "read_table",
]

T = TypeVar("T", bound=msgspec.Struct)


class Field(msgspec.Struct, frozen=True):
    """One setting as documentation, or a form, shows it."""

    name: str
    expected: str
    required: bool
    default: object
    secret: bool
    description: str


class _Wrong(msgspec.Struct, frozen=True):
    """Reading gave no value, only these problems."""

    problems: tuple[Problem, ...]


def read_table(shape: type[T], table: Mapping[str, Any], place: str) -> tuple[T | None, tuple[Problem, ...]]:
    """`table` as a `shape`, or every problem in it. `place` is a file, or a file and table: `x.toml [log]`."""
    read = _struct(shape, table, place)
    return (None, read.problems) if isinstance(read, _Wrong) else (read, ())


def inside(place: str, key: str) -> str:
    """The place of the table `key` within the table at `place`."""
    return f"{place[:-1]}.{_bare(key)}]" if place.endswith("]") else f"{place} [{_bare(key)}]"


def hide(value: object) -> object:
    """`msgspec` enc_hook under which a secret stays masked, and the other values are what they were read from."""
    match value:
        case Secret():
            return Secret.mask
        case Duration():
            return value.seconds
        case Size():
            return int(value)
        case str():
            return str(value)
    raise NotImplementedError(f"{type(value).__name__} is not encoded")


def describe(shape: type[msgspec.Struct]) -> tuple[Field, ...]:
    return tuple(
        Field(
            name=field.encode_name,
            expected=expected(field.type),
            required=field.required,
            default=None if field.required else _default(field),
            secret=_mentions(field.type, Secret),
            description=_description(field.type),
        )
        for field in msgspec.structs.fields(shape)
    )


def _mentions(kind: Any, wanted: type) -> bool:
    return kind is wanted or any(_mentions(arm, wanted) for arm in get_args(kind))


def _struct(shape: type[T], table: object, place: str) -> T | _Wrong:
    if not isinstance(table, Mapping):
        return _Wrong((Problem(place, "must be a table"),))
    fields = {field.encode_name: field for field in msgspec.structs.fields(shape)}
    problems = [_unknown(key, fields, place) for key in table if key not in fields]
    values: dict[str, Any] = {}
    for key, field in fields.items():
        if key in table:
            read = _value(field.type, table[key], place, key)
            if isinstance(read, _Wrong):
                problems.extend(read.problems)
            values[field.name] = read
        elif field.required:
            problems.append(Problem(f"{place} {_bare(key)}", f"is missing: expected {expected(field.type)}"))
    return _Wrong(tuple(problems)) if problems else _built(shape, values, place)


def _built(shape: type[T], values: dict[str, Any], place: str) -> T | _Wrong:
    """The struct; its `__post_init__` may refuse a combination with ValueError, one text per problem."""
    try:
        return shape(**values)
    except ValueError as error:
        return _Wrong(tuple(Problem(place, str(text)) for text in error.args or ("is not valid",)))


def _value(kind: Any, value: object, place: str, key: str) -> Any:
    origin = get_origin(kind)
    if origin is Annotated:
        return _constrained(kind, value, place, key)
    if origin is Union or origin is types.UnionType:
        return _union(get_args(kind), value, place, key)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _struct(kind, value, inside(place, key))
    if isinstance(kind, type) and isinstance(kind, Readable):
        return _readable(kind, value, place, key)
    if origin in (list, tuple, set, frozenset, Sequence):
        return _sequence(kind, value, place, key)
    if origin in (dict, Mapping):
        return _mapping(kind, value, place, key)
    return _plain(kind, value, place, key)


def _readable(kind: Any, value: object, place: str, key: str) -> Any:
    try:
        return kind.read(value)
    except ValueError as error:
        return _wrong(place, key, str(error))


def _plain(kind: Any, value: object, place: str, key: str) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        if get_origin(kind) is Literal:
            return _wrong(place, key, f"must be {expected(kind)}{_meant(value, get_args(kind))}")
        return _wrong(place, key, reworded(str(error), kind))


def _constrained(kind: Any, value: object, place: str, key: str) -> Any:
    """The value of the annotated type, and the bounds set on it."""
    inner, *metas = get_args(kind)
    read = _value(inner, value, place, key)
    if isinstance(read, _Wrong | msgspec.Struct | Secret):
        return read
    bounds = [meta for meta in metas if isinstance(meta, msgspec.Meta)]
    try:
        for meta in bounds:
            msgspec.convert(_bare_value(read), Annotated[_bare_type(read), meta])
    except msgspec.ValidationError as error:
        return _wrong(place, key, reworded(str(error), kind))
    return read


def _bare_value(read: Any) -> Any:
    return float(read) if isinstance(read, Duration) else read


def _bare_type(read: object) -> Any:
    return next((base for base in (bool, int, float, str, list, tuple, dict) if isinstance(read, base)), Any)


def _union(arms: Iterable[Any], value: object, place: str, key: str) -> Any:
    """The first arm that takes the value; when just one could, its own problems."""
    if value is None and type(None) in arms:
        return None
    kinds = [arm for arm in arms if arm is not type(None)]
    reads = [_value(kind, value, place, key) for kind in kinds]
    right = [read for read in reads if not isinstance(read, _Wrong)]
    if right:
        return right[0]
    if len(reads) == 1:
        return reads[0]
    return _wrong(place, key, "must be " + " or ".join(expected(kind) for kind in kinds))


def _sequence(kind: Any, value: object, place: str, key: str) -> Any:
    if not isinstance(value, list | tuple):
        return _wrong(place, key, f"must be {expected(kind)}")
    item = get_args(kind)[0]
    reads = [_value(item, one, place, f"{key}[{index}]") for index, one in enumerate(value)]
    wrong = [problem for read in reads if isinstance(read, _Wrong) for problem in read.problems]
    if wrong:
        return _Wrong(tuple(wrong))
    origin = get_origin(kind)
    return reads if origin in (list, Sequence) else origin(reads)


def _mapping(kind: Any, value: object, place: str, key: str) -> Any:
    if not isinstance(value, Mapping):
        return _wrong(place, key, f"must be {expected(kind)}")
    within = inside(place, key)
    names, items = get_args(kind)
    keys = [_value(names, name, within, name) for name in value]
    reads = [_value(items, one, within, name) for name, one in value.items()]
    wrong = [problem for read in [*keys, *reads] if isinstance(read, _Wrong) for problem in read.problems]
    return _Wrong(tuple(wrong)) if wrong else dict(zip(keys, reads, strict=True))


def _wrong(place: str, key: str, message: str) -> _Wrong:
    return _Wrong((Problem(f"{place} {_bare(key)}", message),))


def _unknown(key: str, fields: Iterable[str], place: str) -> Problem:
    return Problem(f"{place} {_bare(key)}", f"is not a setting{_meant(key, fields)}")


def _meant(value: object, known: Iterable[object]) -> str:
    names = [name for name in known if isinstance(name, str)]
    lowered = {name.lower(): name for name in names}
    close = difflib.get_close_matches(value.lower(), lowered, n=1) if isinstance(value, str) else []
    return f"; did you mean {lowered[close[0]]!r}?" if close else ""


def _bare(key: str) -> str:
    """The key as TOML writes it: bare where it can be, quoted where not."""
    plain = key.replace("_", "").replace("-", "").replace("[", "").replace("]", "")
    return key if plain.isalnum() and plain.isascii() else msgspec.json.encode(key).decode()


def _default(field: msgspec.structs.FieldInfo) -> object:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _description(kind: Any) -> str:
    metas = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
    return next((meta.description for meta in metas if getattr(meta, "description", None)), "")
