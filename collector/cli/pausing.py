"""`turnout pause` and `turnout resume`: keep messages from a destination for a while."""

from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.asking import log_of
from collector.cli.options import ConfigFile, DataDirectory, configured, reaching
from collector.cli.trouble import WRONG, Trouble

if TYPE_CHECKING:
    from collector.config import Config

Destination = Annotated[str, typer.Argument(help="The destination, by its name in the configuration.")]
Reason = Annotated[str, typer.Option("--reason", help="What `turnout status` shall say.")]


def pause(
    destination: Destination,
    reason: Reason = "paused by hand",
    config: ConfigFile = None,
    data: DataDirectory = None,
) -> None:
    """Deliver nothing to a destination for a while.

    What comes is kept for it, in order, until `turnout resume`.
    """
    settings = _reaching(destination, config, data)
    from worker.breaker import breaker_of

    with log_of(settings) as client:
        breaker_of(client, settings).pause(destination, reason)
    typer.echo(f"paused {destination}: {reason}")


def resume(destination: Destination, config: ConfigFile = None, data: DataDirectory = None) -> None:
    """Deliver to a destination again, whatever prevented it."""
    settings = _reaching(destination, config, data)
    from worker.breaker import breaker_of

    with log_of(settings) as client:
        resumed = breaker_of(client, settings).resume(destination)
    typer.echo(f"resumed {destination}" if resumed else f"{destination} was not paused")


def _reaching(destination: str, config: ConfigFile, data: DataDirectory) -> "Config":
    settings = reaching(configured(config, data))
    if destination not in settings.destinations:
        there = ", ".join(settings.destinations)
        raise Trouble(f"there is no destination {destination!r}; there are {there}", code=WRONG)
    return settings
