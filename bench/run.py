"""`make bench`: measure, print a table with each reference, say which goals were reached.

make bench                          the whole, some fifteen minutes
make bench ARGS="--quick"           small numbers, about three minutes
make bench ARGS="single latency"    only these
"""

import argparse
import os
import platform
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench import measures, people, trouble
from bench.measures import Row
from bench.profiles import profiles
from bench.readers import readers

PARTS = (
    *("single", "batch", "endtoend", "latency", "backlog", "retries", "neighbours", "replay"),
    *("readers", "profiles", "import"),
)


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure Turnout on this machine.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="small numbers: for a look, not for the record")
    chosen = parser.parse_args()
    if unknown := set(chosen.parts) - set(PARTS):
        parser.error(f"unknown: {', '.join(unknown)}")
    print(machine(), flush=True)
    rows = measured(set(chosen.parts or PARTS), 10 if chosen.quick else 1)
    print(table(rows))
    return 0 if all(row.reached for row in rows) else 1


def measured(parts: set[str], divisor: int) -> list[Row]:
    rows: list[Row] = []
    if "single" in parts:
        rows += said(measures.single(30_000 // divisor))
    if parts & {"batch", "endtoend"}:
        more, rate = measures.batches(2_000 // divisor)
        rows += said(more)
        if "endtoend" in parts:
            rows += said(measures.end_to_end(3_000 // divisor, rate))
    if "latency" in parts:
        rows += said(measures.latency(300 // divisor))
    if "backlog" in parts:
        rows += said(measures.backlog(10_000, 1_000_000 // divisor))
    if "retries" in parts:
        rows += said(trouble.retries(5_000 // divisor))
    if "neighbours" in parts:
        rows += said(trouble.neighbours(1_000 // divisor))
    if "replay" in parts:
        rows += said(trouble.replay(200_000 // min(divisor, 4)))
    return [*rows, *inside(parts, divisor)]


def inside(parts: set[str], divisor: int) -> list[Row]:
    """What single pieces cost."""
    rows: list[Row] = []
    if "readers" in parts:
        rows += said(readers(2_000 // divisor))
    if "profiles" in parts:
        rows += said(profiles(100_000 // divisor, 1_000_000 // divisor))
    if "import" in parts:
        rows += said(people.lists(200_000 // divisor))
    return rows


def said(rows: list[Row]) -> list[Row]:
    for row in rows:
        print(f"  measured: {row.what} {row.figure}", file=sys.stderr, flush=True)
    return rows


def machine() -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    return (
        f"{os.cpu_count()} cores, {model}; {platform.system()} {platform.release()}; Python {platform.python_version()}"
    )


def table(rows: list[Row]) -> str:
    lines = [f"{'':29}{'Turnout':19}{'reference':25}{'ratio':>6}  goal"]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        verdict = "" if row.reached else "  MISSED"
        lines.append(f"{row.what:29}{row.figure:19}{row.reference:25}{ratio:>6}  {row.goal}{verdict}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
