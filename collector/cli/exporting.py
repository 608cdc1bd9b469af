"""Write dead letters to a file: JSON lines with everything, or a table for a spreadsheet."""

import csv
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from collector.cli.trouble import Trouble

if TYPE_CHECKING:
    from worker.letters.desk import Letter

FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins like this is run by spreadsheets, and what is in it came from strangers."""


@contextmanager
def opened(file: Path | None) -> Iterator[IO[str]]:
    """Standard output, or a file that only our user can read: there are personal data in it. Raises Trouble."""
    if file is None:
        yield sys.stdout
        return
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise Trouble(f"{file} cannot be written: {error.strerror}") from error
    with open(descriptor, "w", encoding="utf-8", newline="") as output:
        yield output


def as_lines(letters: "Iterable[Letter]", output: IO[str]) -> int:
    """How many there were."""
    import msgspec

    number = 0
    for letter in letters:
        output.write(msgspec.json.encode(letter).decode() + "\n")
        number += 1
    return number


def as_table(letters: "Iterable[Letter]", output: IO[str]) -> int:
    """How many there were."""
    import msgspec

    number = 0
    writer: csv.DictWriter[str] | None = None
    for letter in letters:
        found = msgspec.structs.asdict(letter)
        found["trail"] = msgspec.json.encode(letter.trail).decode()
        found["message"] = bytes(letter.message).decode(errors="replace")
        row = {name: _cell(value) for name, value in found.items()}
        if writer is None:
            writer = csv.DictWriter(output, list(row))
            writer.writeheader()
        writer.writerow(row)
        number += 1
    return number


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULAS) else value
