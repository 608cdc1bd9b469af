"""Open a file that several processes append to, one at a time."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


@contextlib.contextmanager
def locked(path: Path) -> Iterator[int]:
    """The file descriptor, under an exclusive lock; the file is made when missing, for its owner alone."""
    while True:
        with opened(path) as fd:
            fcntl.flock(fd, fcntl.LOCK_EX)
            # While this waited for the lock, the file may have been moved away, as log rotation does.
            if _is_at(fd, path):
                yield fd
                return


@contextlib.contextmanager
def opened(path: Path) -> Iterator[int]:
    """The file descriptor, to read and write; a symbolic link is not followed."""
    fd = os.open(path, _FLAGS, 0o600)
    try:
        yield fd
    finally:
        os.close(fd)


def write_all(fd: int, data: bytes, offset: int) -> None:
    """All of `data` at `offset`; raises OSError when the disk does not take it."""
    rest = memoryview(data)
    while rest:
        written = os.pwrite(fd, rest, offset)
        offset += written
        rest = rest[written:]


def make_directories(path: Path) -> None:
    """The directory and those above it; the new ones are for their owner alone, and outlive a power cut."""
    if path.is_dir():
        return
    make_directories(path.parent)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    fsync_directory(path.parent)


def fsync_directory(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_trouble(path: Path) -> str | None:
    """Why nothing can be written at or below `path`, which may not exist yet."""
    existing = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
    return None if os.access(existing, os.W_OK) else f"{existing} may not be written to"


def _is_at(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return False
