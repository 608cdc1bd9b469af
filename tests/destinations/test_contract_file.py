"""The file keeps the contract of every adapter that stores messages."""

from pathlib import Path
from typing import Any

from destinations.builtin.file import File
from destinations.testing import StorageAdapterContract


class TestFile(StorageAdapterContract):
    destination = File

    def settings_in(self, folder: Path) -> dict[str, Any]:
        return {"path": str(folder / "out.jsonl")}

    def stored(self, folder: Path) -> list[bytes]:
        return (folder / "out.jsonl").read_bytes().splitlines()


class TestFileBySource(StorageAdapterContract):
    destination = File

    def settings_in(self, folder: Path) -> dict[str, Any]:
        return {"path": str(folder / "deep" / "{source}.jsonl"), "fsync": False}

    def stored(self, folder: Path) -> list[bytes]:
        return (folder / "deep" / "web.jsonl").read_bytes().splitlines()
