"""The note that a running `turnout up` leaves in its data directory, so that other commands find its servers."""

import contextlib
import os
from pathlib import Path

import msgspec

from collector.config import Config

NAME = "run.json"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    pid: int
    port: int
    url: str
    log_url: str
    rq_url: str
    config_version: str


class NotRunning(Exception):
    """The configuration counts on the embedded servers, and no `turnout up` has them running."""

    def __init__(self, data: Path) -> None:
        super().__init__(f"no `turnout up` is running in {data}: start it, or set url under [log] and [rq]")


def write(data: Path, run: Run) -> None:
    """Only this user may read it: a url may hold a password."""
    text = msgspec.json.format(msgspec.json.encode(run)) + b"\n"
    fresh = data / f"{NAME}.{os.getpid()}"
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(file, "wb") as note:
        note.write(text)
    fresh.replace(data / NAME)


def read(data: Path) -> Run | None:
    """None when nothing runs here: also when what ran was killed and left its note behind."""
    try:
        run = msgspec.json.decode((data / NAME).read_bytes(), type=Run)
    except (OSError, msgspec.DecodeError):
        return None
    return run if _alive(run.pid) else None


def remove(data: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        (data / NAME).unlink()


def located(config: Config) -> Config:
    """The configuration with the urls of the embedded servers filled in. Raises NotRunning."""
    if not (config.log.url.embedded or config.rq.url.embedded):
        return config
    run = read(config.data)
    if run is None:
        raise NotRunning(config.data)
    return config.at(
        log=run.log_url if config.log.url.embedded else config.log.url,
        rq=run.rq_url if config.rq.url.embedded else config.rq.url,
    )


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's, but there
    return True
