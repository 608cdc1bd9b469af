"""Writes the table of faults in docs/reliability.md: `python -m tests.faults.page`."""

from pathlib import Path

from tests.faults.scenarios import SCENARIOS

PAGE = Path("docs/reliability.md")
BEGIN, END = "<!-- faults -->", "<!-- end of faults -->"


def table() -> str:
    found = "| | fault | shown by |\n|---|---|---|\n"
    for name, scenario in SCENARIOS.items():
        command = scenario.command(name)
        how = " ".join(part for part in (f"`{command}`" if command else "", scenario.why_not) if part)
        found += f"| {name} | {scenario.fault} | {how} |\n"
    return found


def main() -> None:
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{table()}{END}{after}")


if __name__ == "__main__":
    main()
