"""`turnout work`: the delivering side alone."""

import typer

from collector.cli.options import ConfigFile, DataDirectory, Workers, configured, reaching


def work(config: ConfigFile = None, data: DataDirectory = None, workers: Workers = None) -> None:
    """Carry messages from the log to their destinations."""
    settings = reaching(configured(config, data, workers=workers))
    from collector.cli import logs
    from worker import pool

    logs.to_stderr()
    raise typer.Exit(pool.run(settings.for_workers()))
