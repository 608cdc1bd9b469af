"""Fetches the library of browsers for the wheel that is built: the wheel carries it, the repository does not."""

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))

from collector.browser.fetch import NotFetched, fetch, registry_of
from collector.browser.published import BESIDE, PINS


class CustomBuildHook(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return  # `make setup` does it, and does not mind being offline
        # Ignored by git, and wanted in the wheel all the same.
        build_data["artifacts"] += [f"collector/browser/published/{pin.version}/*" for pin in PINS]
        try:
            fetch(BESIDE, registry_of(os.environ, Path.home()))
        except NotFetched as reason:
            self.app.display_warning(f"the wheel is built without the library of browsers: {reason}")
