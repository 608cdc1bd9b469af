"""What a change of the configuration means for a process that runs."""

from collections.abc import Callable, Sequence

from collector.config import Config
from collector.run import NotRunning
from collector.tls import Unusable, check
from destinations.errors import Problem, SettingsError
from worker import reload
from worker.reload import FileWatch

Reread = Callable[[], Config]
"""Reads the configuration anew. Raises SettingsError or NotRunning."""


class Refused(Exception):
    """The new configuration cannot take over, for these reasons; the old one stays in force."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)


def fixed(old: Config, new: Config) -> list[str]:
    """The settings that differ though they cannot change while Turnout runs, each with words. Pure."""
    ours = {
        "[log] durability": (old.log.durability, new.log.durability),
        "[log] memory": (old.log.memory, new.log.memory),
        "[log] timeout": (old.log.timeout, new.log.timeout),
        "[collector] host": (old.collector.host, new.collector.host),
        "[collector] port": (old.collector.port, new.collector.port),
        "[collector] backlog": (old.collector.backlog, new.collector.backlog),
        "[collector] tls, on or off,": (old.collector.tls is None, new.collector.tls is None),
        "[collector] spool": (old.collector.spool, new.collector.spool),
    }
    return [*reload.fixed(old, new), *reload.differing(ours)]


def reread(old: Config, read: Reread) -> Config:
    """The configuration as it is now, which may be the same. Raises Refused with every reason."""
    try:
        new = read()
    except SettingsError as error:
        raise Refused([str(problem) for problem in error.problems]) from error
    except NotRunning as error:
        raise Refused([str(error)]) from error
    try:
        check(new.collector.tls)
    except Unusable as error:
        raise Refused([f"{new.path} [collector] tls: {error}"]) from error
    if reasons := fixed(old, new):
        raise Refused([str(Problem(new.path or "the configuration", reason)) for reason in reasons])
    return new


class Standing:
    """The configuration in force, as `turnout up` sees it; its children take a new one over by themselves."""

    def __init__(self, config: Config, read: Reread, *, note: Callable[[Config], None], say: Callable[[str], None]):
        """`note` writes down the one in force."""
        self._config = config
        self._read = read
        self._note = note
        self._say = say
        self._watch = FileWatch(config.path)
        self._watch.doubt()

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
