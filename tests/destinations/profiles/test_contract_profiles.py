"""Profiles keep the contract of every adapter."""

from pathlib import Path
from typing import Any

from destinations.builtin.profiles import Profiles
from destinations.testing import AdapterContract


class TestProfiles(AdapterContract):
    destination = Profiles

    def settings_in(self, folder: Path) -> dict[str, Any]:
        return {"url": f"sqlite:///{folder / 'profiles.db'}"}
