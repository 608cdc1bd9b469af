"""The archive keeps the contract of every adapter that stores messages, and stores none twice."""

import datetime
from pathlib import Path
from typing import Any

from destinations.archive.reader import bodies
from destinations.builtin.archive import Archive
from destinations.testing import StorageAdapterContract


class TestArchive(StorageAdapterContract):
    destination = Archive
    idempotent = True

    def settings_in(self, folder: Path) -> dict[str, Any]:
        return {"dir": str(folder / "archive")}

    def stored(self, folder: Path) -> list[bytes]:
        day = datetime.datetime(2024, 2, 29, tzinfo=datetime.UTC)
        return list(bodies(folder / "archive", "web", day, day + datetime.timedelta(days=1)))
