"""`turnout version`."""

from importlib.metadata import version as installed

import typer

from collector.cli.options import AsJson


def version(as_json: AsJson = False) -> None:
    """Say which version this is."""
    found = installed("turnout")
    typer.echo(f'{{"turnout": "{found}"}}' if as_json else f"turnout {found}")
