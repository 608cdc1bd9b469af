"""Find destinations by the name of their type, among everything that is installed."""

import difflib
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from destinations.adapter import Destination, Order
from destinations.errors import BrokenPlugin, DestinationError, Problem, SettingsError, UnknownType
from destinations.settings import read_table

GROUP = "turnout.destinations"

# What importing a stranger's module, and looking a name up in it, can raise.
_IMPORT_FAILURES = (
    ArithmeticError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)


def names() -> tuple[str, ...]:
    """The types that are installed; nothing is imported."""
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


def load(type_name: str) -> type[Destination[Any]]:
    """The class behind the name. Only its own module is imported."""
    point = _point(type_name)
    try:
        found = point.load()
    except _IMPORT_FAILURES as error:
        raise BrokenPlugin(f"{_origin(point)} does not load: {type(error).__name__}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, Destination)):
        raise BrokenPlugin(f"{_origin(point)} is not a Destination")
    if not hasattr(found, "shape"):
        raise BrokenPlugin(f"{_origin(point)} does not name its settings in `shape`")
    return found


def make(name: str, type_name: str, table: Mapping[str, Any], *, place: str, order: Order = "user") -> Destination[Any]:
    """The destination `name` with the settings of `table`; raises SettingsError with every problem in it."""
    try:
        found = load(type_name)
    except DestinationError as error:
        raise SettingsError((Problem(f"{place} type", str(error)),)) from error
    settings, problems = read_table(found.shape, table, place)
    if settings is None:
        raise SettingsError(problems)
    made = found(name, settings)
    if made.order != "line":
        made.order = order
    return made


def _point(type_name: str) -> EntryPoint:
    offers = {_origin(point): point for point in entry_points(group=GROUP, name=type_name)}
    match list(offers.values()):
        case []:
            raise UnknownType(f"there is no destination of type {type_name!r}{_meant(type_name)}")
        case [point]:
            return point
    raise BrokenPlugin(f"type {type_name!r} is offered more than once: {' and '.join(offers)}; uninstall one")


def _origin(point: EntryPoint) -> str:
    distribution = f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown distribution"
    return f"{point.value} of {distribution}"


def _meant(type_name: str) -> str:
    close = difflib.get_close_matches(type_name, names(), n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; installed are {', '.join(names()) or 'none'}"
