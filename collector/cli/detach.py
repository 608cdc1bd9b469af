"""`turnout detach`: let the log go on without a destination that is no longer configured."""

from typing import Annotated

import typer

from collector.cli.asking import log_of
from collector.cli.options import ConfigFile, DataDirectory, configured, reaching
from collector.cli.table import counted
from collector.cli.trouble import WRONG, Trouble


def detach(
    source: Annotated[str, typer.Argument(help="The source that still keeps messages.")],
    destination: Annotated[str, typer.Argument(help="The destination that they are kept for.")],
    config: ConfigFile = None,
    data: DataDirectory = None,
) -> None:
    """Give up what is kept for a removed destination."""
    settings = reaching(configured(config, data))
    from worker import strays

    if source not in settings.sources:
        raise Trouble(f"there is no source {source!r}; there are {', '.join(settings.sources)}", code=WRONG)
    if destination in settings.sources[source].destinations:
        raise Trouble(f"{source} goes to {destination}: take it out of the configuration first", code=WRONG)
    with log_of(settings) as client:
        found = [one for one in strays.find(client, settings) if (one.source, one.destination) == (source, destination)]
        for stray in found:
            strays.detach(client, settings, stray)
            typer.echo(f"gave up {counted(stray.waiting, 'message')} that {source} kept for {destination}")
    if not found:
        typer.echo(f"{source} keeps nothing for {destination}")
