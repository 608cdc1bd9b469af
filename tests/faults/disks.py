"""Disks that a test may fill, and copy as a power cut would leave them. They need root."""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO


def mountable() -> bool:
    """Whether this process may mount at all: containers often may not."""
    if os.geteuid() != 0 or not Path("/dev/loop-control").exists():
        return False
    asked = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
    )
    return asked.returncode == 0


@dataclass(frozen=True)
class Disk:
    path: Path
    image: Path | None = None

    def fill(self) -> None:
        """Until not a byte more fits."""
        with (self.path / "filler").open("ab", buffering=0) as filler:
            for size in (1 << 16, 1 << 12, 1):
                while _fits(filler, b"x" * size):
                    pass

    def grow(self, megabytes: int) -> None:
        run("mount", "-o", f"remount,size={megabytes}m", str(self.path))

    def copy_to(self, image: Path) -> None:
        """What has reached the device by now: the pages that the system still holds back are not among it."""
        assert self.image is not None, "only an image can be copied"
        run("cp", "--sparse=always", str(self.image), str(image))


def _fits(file: IO[bytes], chunk: bytes) -> bool:
    try:
        file.write(chunk)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False
    return True


def run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


@contextmanager
def small_disk(path: Path, *, megabytes: int) -> Iterator[Disk]:
    path.mkdir()
    run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(path))
    try:
        yield Disk(path)
    finally:
        run("umount", "--lazy", str(path))


@contextmanager
def image(file: Path, megabytes: int) -> Iterator[Disk]:
    """A file system in a file."""
    run("truncate", "-s", f"{megabytes}M", str(file))
    run("mkfs.ext4", "-q", str(file))
    with image_at(file) as disk:
        yield disk


@contextmanager
def image_at(file: Path) -> Iterator[Disk]:
    path = file.with_suffix(".mounted")
    path.mkdir()
    run("mount", "-o", "loop", str(file), str(path))
    try:
        yield Disk(path, file)
    finally:
        run("umount", "--lazy", str(path))
