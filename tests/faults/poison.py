"""A destination whose code dies, hangs or fails on some messages, installed beside Turnout as any plug-in is."""

from pathlib import Path

CODE = '''
import json
import os
import signal
from typing import Literal

import msgspec

from destinations.adapter import Destination
from destinations.outcome import Delivered


class Settings(msgspec.Struct, frozen=True):
    path: str
    poison: str
    effect: Literal["dies", "hangs", "raises"]


class Poisoned(Destination[Settings]):
    """Writes lines to a file, except the poison, which has its effect."""

    shape = Settings
    batch_messages = 50

    def deliver(self, batch, deadline):
        if any(envelope.head.message_id.endswith(self.settings.poison) for envelope in batch):
            self.suffer()
        with open(self.settings.path, "ab") as file:
            file.write(b"".join(envelope.body + b"\\n" for envelope in batch))
        return [Delivered()] * len(batch)

    def suffer(self):
        match self.settings.effect:
            case "dies":
                os.kill(os.getpid(), signal.SIGKILL)  # what the system does to who uses too much memory
            case "hangs":
                sum(iter(int, 1))  # inside C, for ever: no signal is heard
            case "raises":
                raise ValueError("poison")
'''

ENTRY_POINT = "[turnout.destinations]\npoisoned = poisoned:Poisoned\n"


def install(site: Path) -> dict[str, str]:
    """The environment in which Turnout finds it."""
    about = site / "poisoned-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: poisoned\nVersion: 1\n")
    (about / "entry_points.txt").write_text(ENTRY_POINT)
    (site / "poisoned.py").write_text(CODE)
    return {"PYTHONPATH": str(site)}
