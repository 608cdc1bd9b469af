"""When a new configuration is wanted, and whether a running pool can take it."""

import logging
from collections.abc import Callable
from pathlib import Path

from destinations.errors import SettingsError
from worker.config import Config
from worker.errors import WorkerError

Reload = Callable[[], Config]
"""Reads the configuration anew. Raises SettingsError or WorkerError."""

Mark = tuple[int, int] | None

logger = logging.getLogger(__name__)


class Watched:
    """A file, and whether it has changed since the last question."""

    def __init__(self, path: str | None) -> None:
        self._path = Path(path) if path else None
        self._mark = self._look()

    def changed(self) -> bool:
        """A file that is gone is about to come back, and keeps its old mark until then."""
        found = self._look()
        if found is None or found == self._mark:
            return False
        self._mark = found
        return True

    def _look(self) -> Mark:
        try:
            about = self._path.stat() if self._path else None
        except OSError:
            return None
        return (about.st_mtime_ns, about.st_size) if about else None


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
    pairs = {
        "[log] url": (old.log.url, new.log.url),
        "[rq] url": (old.rq.url, new.rq.url),
        "[log] partitions": (old.log.partitions, new.log.partitions),
        "data": (old.data, new.data),
        "[database] url": (old.database.url, new.database.url),
    }
    return [f"{name} cannot change while workers run: stop and start" for name, (a, b) in pairs.items() if a != b]
