"""`turnout work`: the delivering side alone."""

from typing import TYPE_CHECKING

import typer

from collector.cli.options import ConfigFile, DataDirectory, Workers, configured, reaching, reading_anew

if TYPE_CHECKING:
    from worker.config import Config


def work(config: ConfigFile = None, data: DataDirectory = None, workers: Workers = None) -> None:
    """Carry messages from the log to their destinations.

    SIGTERM finishes what is in hand. SIGHUP, or a change of the configuration
    file, lets new workers take over without a gap.
    """
    settings = reaching(configured(config, data, workers=workers))
    from collector.cli import logs
    from collector.run import NotRunning, located
    from worker import pool
    from worker.errors import WorkerError

    anew = reading_anew(settings, config, data, workers=workers)

    def reload() -> "Config":
        try:
            return located(anew()).for_workers()
        except NotRunning as error:
            raise WorkerError(str(error)) from error

    logs.to_stderr()
    raise typer.Exit(pool.run(settings.for_workers(), reload))
