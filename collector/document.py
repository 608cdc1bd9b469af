"""A TOML text as tables, with each `${NAME}` filled in from the environment. Pure."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any

import msgspec

from destinations.errors import Problem, SettingsError
from destinations.settings import inside

# `$${` stands for `${` itself.
_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)\}?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Document(msgspec.Struct, frozen=True):
    """The tables, and what was wrong with references in them."""

    tables: dict[str, Any]
    problems: tuple[Problem, ...]


def document_of(text: str, file: str, environment: Mapping[str, str]) -> Document:
    """Raises SettingsError when the text is not TOML: then there is nothing more to find out."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([Problem(*_located(str(error), file))]) from error
    filler = _Filler(environment)
    return Document(filler.table(tables, file), tuple(filler.problems))


def _located(message: str, file: str) -> tuple[str, str]:
    """'Invalid value (at line 3, column 7)' as a place and what is wrong there."""
    what, _, where = message.removesuffix(")").rpartition(" (at ")
    return (f"{file} {where}", f"is not TOML: {what}") if what else (file, f"is not TOML: {message}")


class _Filler:
    """Walks the tables once and gathers what cannot be filled in."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[Problem] = []

    def table(self, table: Mapping[str, Any], place: str) -> dict[str, Any]:
        return {key: self._value(value, place, key) for key, value in table.items()}

    def _value(self, value: Any, place: str, key: str) -> Any:
        match value:
            case str():
                return self._text(value, f"{place} {key}")
            case dict():
                return self.table(value, inside(place, key))
            case list():
                return [self._value(item, place, f"{key}[{index}]") for index, item in enumerate(value)]
            case _:
                return value

    def _text(self, text: str, place: str) -> str:
        return _REFERENCE.sub(lambda reference: self._filled(reference, place), text)

    def _filled(self, reference: re.Match[str], place: str) -> str:
        name = reference[1]
        if name is None:
            return "${"
        if not _NAME.fullmatch(name) or not reference[0].endswith("}"):
            message = "has a ${ that names no environment variable; write $${ for a plain one"
            self.problems.append(Problem(place, message))
            return reference[0]
        if name not in self._environment:
            self.problems.append(Problem(place, f"the environment variable {name} is not set"))
        return self._environment.get(name, reference[0])
