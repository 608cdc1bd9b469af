"""`turnout detach`: let the log go on without a destination that is no longer configured."""

from typing import Annotated

import typer

from collector.cli.options import ConfigFile, DataDirectory, configured, reaching
from collector.cli.trouble import WRONG, Trouble


def detach(
    source: Annotated[str, typer.Argument(help="The source that still keeps messages.")],
    destination: Annotated[str, typer.Argument(help="The destination that they are kept for.")],
    config: ConfigFile = None,
    data: DataDirectory = None,
) -> None:
    """Give up what is kept for a removed destination."""
    settings = reaching(configured(config, data))
    from redis.exceptions import RedisError

    from worker import connect, strays

    if source not in settings.sources:
        raise Trouble(f"there is no source {source!r}", code=WRONG)
    if destination in settings.sources[source].destinations:
        raise Trouble(f"{source} goes to {destination}: take it out of the configuration first", code=WRONG)
    try:
        with connect.client(settings.log.url, timeout=settings.log.timeout) as client:
            found = [
                one for one in strays.find(client, settings) if (one.source, one.destination) == (source, destination)
            ]
            for stray in found:
                strays.detach(client, settings, stray)
                typer.echo(f"gave up {stray.waiting} messages that {source} kept for {destination}")
    except (RedisError, OSError) as error:
        raise Trouble(f"the log at {settings.log.url!r} does not answer: {error}") from error
    if not found:
        typer.echo(f"{source} keeps nothing for {destination}")
