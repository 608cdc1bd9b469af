"""What the system knows about processes, on Linux from /proc, elsewhere from ps."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    words: tuple[str, ...]
    """The command line. What ended, and waits for its parent to notice, is not listed."""
    name: str = ""
    """What it calls itself; on Linux only."""


def processes() -> list[Process]:
    return list(_from_proc() if PROC.joinpath("self/stat").exists() else _from_ps())


def children(pid: int, among: list[Process] | None = None) -> list[Process]:
    return [process for process in (processes() if among is None else among) if process.parent == pid]


def family(pid: int) -> list[Process]:
    """All that descend from `pid`, without itself."""
    everyone = processes()
    found: list[Process] = []
    parents = [pid]
    while parents:
        next_ones = children(parents.pop(), everyone)
        found += next_ones
        parents += [process.pid for process in next_ones]
    return found


def alive(pid: int) -> bool:
    directory = PROC / str(pid)
    if directory.exists():
        return next(_of(directory), None) is not None
    return not PROC.joinpath("self/stat").exists() and any(process.pid == pid for process in _from_ps())


def _from_proc() -> Iterator[Process]:
    for directory in PROC.iterdir():
        if directory.name.isdigit():
            yield from _of(directory)


def _of(directory: Path) -> Iterator[Process]:
    """What a directory of /proc tells; nothing of a process that ended."""
    try:
        # The name of the program stands in parentheses, and may hold some itself.
        before, _, after = (directory / "stat").read_text().rpartition(")")
        state, parent = after.split()[:2]
        words = (directory / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return
    if state not in "ZX":
        yield Process(
            int(directory.name),
            int(parent),
            tuple(os.fsdecode(words).split("\0")[:-1]),
            before.partition("(")[2],
        )


def _from_ps() -> Iterator[Process]:
    table = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,state=,command="], capture_output=True, text=True, check=True)
    for line in table.stdout.splitlines():
        pid, parent, state, *words = line.split()
        if not state.startswith("Z"):
            yield Process(int(pid), int(parent), tuple(words))
