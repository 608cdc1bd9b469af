"""The options that several commands share, and the configuration that they lead to."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.trouble import WRONG, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.config import Config

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", envvar="TURNOUT_CONFIG", help="The configuration file; else ./turnout.toml if it is there."
    ),
]
DataDirectory = Annotated[
    Path | None,
    typer.Option("--data", "-d", envvar="TURNOUT_DATA", help="Where everything is kept; else what the file says."),
]
Host = Annotated[str | None, typer.Option(envvar="TURNOUT_HOST", help="The address to listen on.")]
Port = Annotated[
    int | None, typer.Option("--port", "-p", envvar="TURNOUT_PORT", min=1, max=65_535, help="The port to listen on.")
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", "-w", envvar="TURNOUT_WORKERS", min=1, max=256, help="How many worker processes."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for scripts.")]


def configured(
    file: Path | None,
    data: Path | None,
    *,
    host: str | None = None,
    port: int | None = None,
    workers: int | None = None,
) -> "Config":
    """The configuration, with what the command line says before what the file says. Raises Trouble."""
    from destinations.errors import SettingsError

    try:
        return loaded(file, data, host=host, port=port, workers=workers)
    except SettingsError as error:
        raise Trouble(*error.problems, code=WRONG) from error


def reading_anew(
    config: "Config",
    file: Path | None,
    data: Path | None,
    *,
    host: str | None = None,
    port: int | None = None,
    workers: int | None = None,
) -> "Callable[[], Config]":
    """Reads `config` again from where it came: from its file even if that is gone now, which is an error then.

    What it returns raises SettingsError.
    """
    path = file or (Path(config.path) if config.path else None)
    return lambda: loaded(path, data, host=host, port=port, workers=workers)


def loaded(
    file: Path | None,
    data: Path | None,
    *,
    host: str | None = None,
    port: int | None = None,
    workers: int | None = None,
) -> "Config":
    """The same, for who can go on without: raises SettingsError."""
    import msgspec

    from collector.config import load

    config = load(file, os.environ, data=data)
    collector = msgspec.structs.replace(
        config.collector, host=host or config.collector.host, port=port or config.collector.port
    )
    worker = msgspec.structs.replace(config.worker, processes=workers or config.worker.processes)
    return msgspec.structs.replace(config, collector=collector, worker=worker)


def reaching(config: "Config") -> "Config":
    """The configuration with the urls of the servers that `turnout up` runs. Raises Trouble."""
    from collector.run import NotRunning, located

    try:
        return located(config)
    except NotRunning as error:
        raise Trouble(error) from error
