"""When a new configuration is wanted, and whether a running pool can take it."""

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from destinations.errors import SettingsError
from worker.config import FILE, Config
from worker.errors import WorkerError

Reload = Callable[[], Config]
"""Reads the configuration anew. Raises SettingsError or WorkerError."""

Fingerprint = tuple[int, int, int]

REST = 0.5
"""Seconds for which a file has to stay as it is before it is read: editors write in several steps."""

logger = logging.getLogger(__name__)


class FileWatch:
    """Says once when the configuration's file has changed and come to rest."""

    def __init__(self, path: str | None, *, rest: float = REST) -> None:
        self._path = Path(path) if path else FILE
        self._rest = rest
        self._taken: Fingerprint | None = self._look()
        self._last = self._taken
        self._since = time.monotonic()

    def changed(self) -> bool:
        """A file that is gone is about to come back: it has changed if it is another one then."""
        found = self._look()
        if found != self._last:
            self._last, self._since = found, time.monotonic()
        if found in (None, self._taken) or time.monotonic() - self._since < self._rest:
            return False
        self._taken = found
        return True

    def take(self) -> None:
        """The file as it is now is about to be read for another reason."""
        self._taken = self._last = self._look()

    def doubt(self) -> None:
        """Somebody may have saved between reading and watching: it counts as changed once, whatever it is."""
        self._taken = None

    def _look(self) -> Fingerprint | None:
        try:
            about = self._path.stat()
        except OSError:
            return None
        return about.st_mtime_ns, about.st_size, about.st_ino


def fitting(reload: Reload, running: Config) -> Config | None:
    """The new configuration; None when it cannot be taken, and then the log says everything that is wrong with it."""
    try:
        found = reload()
    except SettingsError as error:
        problems = [str(problem) for problem in error.problems]
    except WorkerError as error:
        problems = str(error).splitlines()
    else:
        problems = fixed(running, found)
        if not problems:
            return found
    for problem in problems:
        logger.error("the new configuration is not taken: %s", problem)
    return None


def fixed(old: Config, new: Config) -> list[str]:
    """What cannot change while the pool runs, and would."""
    return differing(
        {
            "[log] url": (old.log.url, new.log.url),
            "[rq] url": (old.rq.url, new.rq.url),
            "[log] partitions": (old.log.partitions, new.log.partitions),
            "data": (old.data, new.data),
            "[database] url": (old.database.url, new.database.url),
        }
    )


def differing(settings: Mapping[str, tuple[object, object]]) -> list[str]:
    """Words for each of these settings that is another one now."""
    return [
        f"{name} needs a restart; the old configuration goes on" for name, (was, now) in settings.items() if was != now
    ]
