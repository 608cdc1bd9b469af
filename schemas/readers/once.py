"""Work a property out when it is first asked for, and keep it."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class once(Generic[T]):  # noqa: N801 - a decorator, named as it is written
    """Like `functools.cached_property`, whose lock (until Python 3.12) costs more than most of what we keep."""

    def __init__(self, work: Callable[[Any], T]) -> None:
        self._work = work
        self.__doc__ = work.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type | None = None) -> T:
        value: T = self._work(instance)
        instance.__dict__[self._name] = value
        return value
