"""`turnout browser`: looks after the library that pages load from here."""

from pathlib import Path
from typing import Annotated

import typer

from collector.cli.options import ConfigFile, DataDirectory, configured
from collector.cli.trouble import Trouble

browser = typer.Typer(name="browser", help="The library that pages load from here.", no_args_is_help=True)


@browser.callback()
def group() -> None:
    """Typer makes a command of its own of a single one, unless there is a callback."""


@browser.command()
def fetch(
    config: ConfigFile = None,
    data: DataDirectory = None,
    tarball: Annotated[
        Path | None, typer.Option("--from", help="A tarball that `npm pack` made, instead of the registry.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say only what is wrong.")] = False,
) -> None:
    """Get the published library from the npm registry, where pages cannot load it yet.

    It is put beside Turnout's code, or into the data directory where nobody may write to the code.
    """
    import os

    from collector.browser import published
    from collector.browser.fetch import NotFetched, registry_of, unpack_file
    from collector.browser.fetch import fetch as fetched

    into = published.BESIDE
    if not os.access(into if into.exists() else into.parent, os.W_OK):
        into = published.within(configured(config, data).data)
    try:
        found = [unpack_file(tarball, into)] if tarball else fetched(into, registry_of(os.environ, Path.home()))
    except NotFetched as reason:
        name = f"{published.NAME}@{published.PINS[0].version}"
        raise Trouble(
            f"the library for browsers is not here: {reason}",
            "pages cannot load it from this machine; everything else works",
            "later: turnout browser fetch",
            f"without a network: npm pack {name}, elsewhere; then turnout browser fetch --from FILE",
        ) from reason
    for directory in () if quiet else found:
        typer.echo(f"{published.NAME} {directory.name} is in {directory}")
