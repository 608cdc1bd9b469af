"""Say of a message whether an expression such as `properties.revenue > 100 and userId == 'u1'` holds. Pure.

Nothing fails while messages are looked at: a member that is missing is None, what cannot be compared is false, what
cannot be reckoned is None.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

import simpleeval

from worker.replay.errors import BadExpression

MOST_CHARACTERS = 2_000
MOST_NODES = 400
WORDS = {"true": True, "false": False, "null": None}

_ALLOWED = (
    ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.UAdd,
    ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod,
    ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot,
    ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.Call, ast.Load, ast.List, ast.Tuple,
)  # fmt: skip

_EMPTY: Mapping[str, Any] = {}


class _Members(dict[str, Any]):
    """The members of a message, and None for those that it has not."""

    def __missing__(self, name: str) -> Any:
        return WORDS.get(name)


class Expression:
    """Compiled once, then asked for each message."""

    def __init__(self, text: str) -> None:
        """Raises BadExpression, which says where."""
        self._text = text
        self._tree = _parsed(text)
        self._evaluator = _Evaluator(operators=_OPERATORS, functions=_FUNCTIONS, names=_EMPTY)

    def holds_for(self, message: dict[str, Any]) -> bool:
        self._evaluator.names = _Members(message)
        return bool(self._evaluator.eval(self._text, previously_parsed=self._tree))


class _Evaluator(simpleeval.SimpleEval):  # type: ignore[misc]  # the library has no types
    """Reaches into messages only: nothing of Python's own objects can be named."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.nodes[ast.List] = self.nodes[ast.Tuple] = self._eval_list

    def _eval_list(self, node: ast.List | ast.Tuple) -> list[Any]:
        return [self._eval(each) for each in node.elts]

    def _eval_attribute(self, node: ast.Attribute) -> Any:
        found = self._eval(node.value)
        return found.get(node.attr) if isinstance(found, dict) else None

    def _eval_subscript(self, node: ast.Subscript) -> Any:
        found, key = self._eval(node.value), self._eval(node.slice)
        if isinstance(found, dict) and isinstance(key, str):
            return found.get(key)
        if isinstance(found, list | str) and isinstance(key, int):
            return found[key] if -len(found) <= key < len(found) else None
        return None


def _parsed(text: str) -> ast.expr:
    if len(text) > MOST_CHARACTERS:
        raise BadExpression(f"the expression is longer than {MOST_CHARACTERS} characters", column=MOST_CHARACTERS)
    text = text.strip()
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        # Python says 0 where something is missing at the end.
        column = error.offset or len(text) + 1
        raise BadExpression(f"the expression cannot be read: {error.msg}", column=column) from error
    except (MemoryError, RecursionError, ValueError) as error:
        raise BadExpression("the expression cannot be read", column=1) from error
    nodes = list(ast.walk(tree))
    if len(nodes) > MOST_NODES:
        raise BadExpression("the expression has too many parts", column=1)
    for node in nodes:
        _check(node)
    return tree


def _check(node: ast.AST) -> None:
    column = getattr(node, "col_offset", 0) + 1
    if not isinstance(node, _ALLOWED):
        raise BadExpression(f"{type(node).__name__} is not something an expression may have", column=column)
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in _FUNCTIONS:
            known = ", ".join(sorted(_FUNCTIONS))
            raise BadExpression(f"there is no such function; there are {known}", column=column)
        if node.keywords or len(node.args) != _ARITY[name]:
            raise BadExpression(f"{name} takes {_ARITY[name]} value(s)", column=column)


def _compared(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], bool]:
    def holds(left: Any, right: Any) -> bool:
        try:
            return bool(compare(left, right))
        except TypeError:
            return False

    return holds


def _reckoned(reckon: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def result(left: Any, right: Any) -> Any:
        if not isinstance(left, int | float) or not isinstance(right, int | float):
            return None
        try:
            return reckon(left, right)
        except ArithmeticError:
            return None

    return result


def _signed(sign: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: sign(value) if isinstance(value, int | float) else None


def _found_in(part: Any, whole: Any) -> bool:
    return _compared(operator.contains)(whole, part)


_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: _reckoned(operator.add),
    ast.Sub: _reckoned(operator.sub),
    ast.Mult: _reckoned(operator.mul),
    ast.Div: _reckoned(operator.truediv),
    ast.FloorDiv: _reckoned(operator.floordiv),
    ast.Mod: _reckoned(operator.mod),
    ast.USub: _signed(operator.neg),
    ast.UAdd: _signed(operator.pos),
    ast.Not: operator.not_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Is: operator.eq,
    ast.IsNot: operator.ne,
    ast.Lt: _compared(operator.lt),
    ast.LtE: _compared(operator.le),
    ast.Gt: _compared(operator.gt),
    ast.GtE: _compared(operator.ge),
    ast.In: _found_in,
    ast.NotIn: lambda part, whole: not _found_in(part, whole),
}


def _length(value: Any) -> int | None:
    return len(value) if isinstance(value, str | list | dict) else None


def _lower(value: Any) -> str | None:
    return value.lower() if isinstance(value, str) else None


def _starts(text: Any, beginning: Any) -> bool:
    return isinstance(text, str) and isinstance(beginning, str) and text.startswith(beginning)


def _ends(text: Any, ending: Any) -> bool:
    return isinstance(text, str) and isinstance(ending, str) and text.endswith(ending)


_FUNCTIONS: dict[str, Callable[..., Any]] = {"len": _length, "lower": _lower, "starts": _starts, "ends": _ends}
_ARITY = {"len": 1, "lower": 1, "starts": 2, "ends": 2}
