"""Attach groups to the messages of those sources that ask for it, as the configuration in force has it."""

import logging
import time
from collections.abc import Sequence

from collector.config import Config
from collector.groups.asking import Asking, opening
from collector.groups.attaching import Attaching
from collector.log_port import Item, Refusal, Store
from destinations.sql.url import DatabaseUrl
from worker.config import PROFILES

logger = logging.getLogger(__name__)


def sources_of(config: Config) -> list[str]:
    """Those whose messages get groups."""
    return sorted(name for name, policy in config.policies.items() if policy.attach_groups)


def lacking(config: Config) -> str | None:
    """Why messages get no groups though they should; None where nothing is in the way."""
    sources = sources_of(config)
    if not sources or any(config.destinations[name].type == PROFILES for name in config.wanted()):
        return None
    return f"attach_groups does nothing ({', '.join(sources)}): no source has a destination of type profiles"


class GroupSide:
    """A way to the log on which messages get groups. To be made, and used, on the event loop."""

    def __init__(self, log: Store, config: Config) -> None:
        self._log = log
        self._terms: tuple[DatabaseUrl, float] | None = None
        self._attaching: Attaching | None = None
        self.follow(config)

    async def put(self, items: Sequence[Item], refusals: Sequence[Refusal]) -> None:
        """Return once all are stored as durably as configured. Raises LogUnavailable, or LogFull."""
        attaching = self._attaching
        await self._log.put(items if attaching is None else await attaching.attached(items), refusals)

    def follow(self, config: Config) -> None:
        """This configuration is in force from now on."""
        if words := lacking(config):
            logger.warning(words)
        url = config.profiles() if sources_of(config) else None
        terms = None if url is None else (url, float(config.collector.groups_wait))
        if terms == self._terms:
            return
        self.stop()
        self._terms = terms
        if terms is not None:
            asking = Asking(opening(terms[0]), patience=terms[1], clock=time.monotonic)
            self._attaching = Attaching(asking, time.monotonic)

    async def opened(self) -> None:
        """Wait until groups are known, where any are wanted; not for long."""
        if self._attaching is not None:
            await self._attaching.opened()

    def stop(self) -> None:
        if self._attaching is not None:
            self._attaching.stop()
        self._attaching = None
