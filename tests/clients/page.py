"""Makes the tables of docs/clients.md from what a run of the tests has recorded: `python -m tests.clients.page`."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.clients import certificate
from tests.clients.certificate import Client, Scenario, Seen

PAGE = Path(__file__).parents[2] / "docs" / "clients.md"
BEGIN = "<!-- made by `python -m tests.clients.page` from a run of the tests; do not edit by hand -->"
END = "<!-- end of what is made -->"
KINDS = {
    "server": "On servers",
    "browser": "In browsers",
    "mobile": "On phones",
    "recorded": "Requests rebuilt from the clients' sources and recordings, replayed",
}
Pair = tuple[str, str, Scenario]


def main() -> None:
    """Write the tables; 1 when the run lacks what is declared, or saw it fail."""
    declared = certificate.clients()
    found = certificate.latest(certificate.record())
    missing = sorted(f"{name} {version}: {scenario.value}" for name, version, scenario in lacking(declared, found))
    if missing:
        print(f"not seen to pass in {certificate.record()}:", *missing, sep="\n  ", file=sys.stderr)
        raise SystemExit(1)
    PAGE.write_text(replaced(PAGE.read_text(), tables(declared)))


def lacking(declared: Iterable[Client], found: Iterable[Seen]) -> set[Pair]:
    """What is declared, but was not seen to pass."""
    passed = {(seen.client, seen.version, seen.scenario) for seen in found if seen.passed}
    return {(each.name, each.version, scenario) for each in declared for scenario in each.scenarios} - passed


def replaced(page: str, made: str) -> str:
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{made}\n{END}{after}"


def made(page: str) -> str:
    """What stands in the page between the two marks."""
    return page.partition(BEGIN)[2].partition(END)[0].strip("\n") + "\n"


def tables(declared: Iterable[Client]) -> str:
    """A table for each kind of client, then the notes to all of them."""
    declared = sorted(declared, key=lambda each: list(KINDS).index(each.kind))
    notes = list(dict.fromkeys(words for client in declared for words in client.scenarios.values() if words))
    parts = [
        "\n".join([f"## {title}", "", *_table([each for each in declared if each.kind == kind], notes)])
        for kind, title in KINDS.items()
        if any(each.kind == kind for each in declared)
    ]
    told = "\n".join(f"{number}. {words}" for number, words in enumerate(notes, 1))
    return "\n\n".join([*parts, f"## Notes\n\n{told}"] if notes else parts) + "\n"


def _table(declared: list[Client], notes: list[str]) -> Iterator[str]:
    scenarios = [each for each in Scenario if any(each in client.scenarios for client in declared)]
    yield _row("client", "version", "language", *(each.value for each in scenarios), "pointed here by")
    yield "|---" * (len(scenarios) + 4) + "|"
    for client in declared:
        marks = [_mark(client, each, notes) for each in scenarios]
        yield _row(client.name, client.version, client.language, *marks, client.points)


def _mark(client: Client, scenario: Scenario, notes: list[str]) -> str:
    words = client.scenarios.get(scenario)
    if words is None:
        return "\N{EN DASH}"
    sign = "✗" if scenario in client.loses else "✓"
    return f"{sign} <sup>{notes.index(words) + 1}</sup>" if words else sign


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
