"""Writes the table of paths in docs/http-api.md: `python -m tests.collector.openapi_page`."""

from collections.abc import Iterator
from pathlib import Path

from collector.openapi.document import chapters, other_paths
from collector.openapi.parts import Chapter
from collector.routes import ALIASES
from schemas.limits import Limits

PAGE = Path(__file__).parents[2] / "docs" / "http-api.md"
BEGIN, END = "<!-- paths -->", "<!-- end of paths -->"


def table() -> str:
    """Every path without the slash at its end, and without those of clients whose host is set wrongly."""
    found = chapters(Limits())
    others = other_paths([operation for chapter in found for operation in chapter.operations])
    shown = {path: main for path, main in others.items() if path not in ALIASES and not path.endswith("/")}
    rows = [row for chapter in found for row in _rows(chapter, shown)]
    return "".join(["| path | also | what |\n|---|---|---|\n", *rows])


def _rows(chapter: Chapter, others: dict[str, str]) -> Iterator[str]:
    yield f"| **{chapter.title}** | | |\n"
    for operation in chapter.operations:
        also = ", ".join(f"`{path}`" for path, main in others.items() if main == operation.path)
        yield f"| `{operation.method.upper()} {operation.path}` | {also} | {operation.summary} |\n"


def main() -> None:
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{table()}{END}{after}")


if __name__ == "__main__":
    main()
