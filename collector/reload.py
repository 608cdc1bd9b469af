"""What a change of the configuration means for a process that runs."""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from collector.config import FILE, Config
from collector.run import NotRunning
from destinations.errors import Problem, SettingsError

Reread = Callable[[], Config]
"""Reads the configuration anew. Raises SettingsError or NotRunning."""

Fingerprint = tuple[int, int, int]


class Refused(Exception):
    """The new configuration cannot take over, for these reasons; the old one stays in force."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)


def fixed(old: Config, new: Config) -> list[str]:
    """The settings that differ though they cannot change while Turnout runs, each with words. Pure."""
    pairs = {
        "data": (old.data, new.data),
        "[log] url": (old.log.url, new.log.url),
        "[log] partitions": (old.log.partitions, new.log.partitions),
        "[log] durability": (old.log.durability, new.log.durability),
        "[log] memory": (old.log.memory, new.log.memory),
        "[log] timeout": (old.log.timeout, new.log.timeout),
        "[rq] url": (old.rq.url, new.rq.url),
        "[collector] host": (old.collector.host, new.collector.host),
        "[collector] port": (old.collector.port, new.collector.port),
        "[collector] backlog": (old.collector.backlog, new.collector.backlog),
        "[collector] spool": (old.collector.spool, new.collector.spool),
    }
    return [
        f"{name} needs a restart; the old configuration goes on"
        for name, (was, is_now) in pairs.items()
        if was != is_now
    ]


def reread(old: Config, read: Reread) -> Config:
    """The configuration as it is now, which may be the same. Raises Refused with every reason."""
    try:
        new = read()
    except SettingsError as error:
        raise Refused([str(problem) for problem in error.problems]) from error
    except NotRunning as error:
        raise Refused([str(error)]) from error
    if reasons := fixed(old, new):
        raise Refused([str(Problem(new.path or "the configuration", reason)) for reason in reasons])
    return new


REST = 0.5
"""Seconds for which a file has to stay as it is before it is read: editors write in several steps."""


class FileWatch:
    """Says once when the configuration's file has changed and come to rest.

    The first look counts as a change: somebody may have saved between our reading and our watching.
    """

    def __init__(self, path: str | None, *, rest: float = REST) -> None:
        self._path = Path(path) if path else FILE
        self._rest = rest
        self._taken: Fingerprint | str | None = "nothing yet"
        self._last = fingerprint(self._path)
        self._since = time.monotonic()

    def changed(self) -> bool:
        found = fingerprint(self._path)
        if found != self._last:
            self._last, self._since = found, time.monotonic()
            return False
        if found == self._taken or time.monotonic() - self._since < self._rest:
            return False
        self._taken = found
        return True

    def take(self) -> None:
        """The file as it is now is about to be read for another reason."""
        self._taken = self._last = fingerprint(self._path)


class Standing:
    """The configuration in force, as `turnout up` sees it; its children take a new one over by themselves."""

    def __init__(self, config: Config, read: Reread, *, note: Callable[[Config], None], say: Callable[[str], None]):
        """`note` writes down the one in force."""
        self._config = config
        self._read = read
        self._note = note
        self._say = say
        self._watch = FileWatch(config.path)

    def reload(self) -> bool:
        """Whether the children should read it anew: not when it has a mistake."""
        self._watch.take()
        return self._follow()

    def look(self) -> None:
        """Follow a file that has changed."""
        if self._watch.changed():
            self._follow()

    def _follow(self) -> bool:
        try:
            new = reread(self._config, self._read)
        except Refused as refused:
            for reason in refused.reasons:
                self._say(f"the new configuration is refused: {reason}")
            return False
        if new.version != self._config.version:
            self._say(f"the configuration {new.version} takes over from {self._config.version}")
        self._config = new
        self._note(new)
        return True


def fingerprint(path: Path) -> Fingerprint | None:
    """None while there is no such file: editors that replace it may leave a gap."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
