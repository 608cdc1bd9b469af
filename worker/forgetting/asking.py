"""Ask destinations to delete a user, each once."""

import time
from collections.abc import Callable

from destinations import registry
from destinations.blame import steps_of
from destinations.errors import SettingsError
from destinations.forgetting import Erased, Erasure, Failed, Subject, Unsupported
from worker.config import ARCHIVE, PROFILES, Config
from worker.forgetting.report import Answered

SECONDS = 30.0
OWN = (ARCHIVE, PROFILES)
"""The types of destination that are emptied from here."""


def ask(config: Config, subject: Subject, asked: Callable[[int], None]) -> list[Answered]:
    """What each destination of some source answers."""
    found = []
    for name in asked_of(config):
        found.append(_answered(name, _asked(config, name, subject)))
        asked(1)
    return found


def asked_of(config: Config) -> list[str]:
    return [name for name in config.wanted() if config.destinations[name].type not in OWN]


def _asked(config: Config, name: str, subject: Subject) -> Erasure:
    table = config.destinations[name]
    try:
        destination = registry.make(name, table.type, table.settings, place=table.place, order=table.order)
    except SettingsError as error:
        return Failed(str(error.problems[0]))
    try:
        return destination.forget(subject, time.monotonic() + SECONDS)
    except Exception as error:  # noqa: BLE001  an adapter is somebody else's code
        # Not its words: they may quote a secret, or the user.
        return Failed(f"the adapter raised {type(error).__name__} at {steps_of(error)}")
    finally:
        destination.close()


def _answered(name: str, answer: Erasure) -> Answered:
    match answer:
        case Erased():
            return Answered(name, "done")
        case Unsupported():
            return Answered(name, "not supported")
        case Failed(reason=reason):
            return Answered(name, "failed", reason)
