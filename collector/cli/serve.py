"""`turnout serve`: the HTTP side alone."""

import typer

from collector.cli.options import ConfigFile, DataDirectory, Host, Port, configured, reaching


def serve(config: ConfigFile = None, data: DataDirectory = None, host: Host = None, port: Port = None) -> None:
    """Take messages over HTTP and append them to the log."""
    settings = reaching(configured(config, data, host=host, port=port))
    from collector import serve as collector
    from collector.cli import logs

    logs.to_stderr()
    raise typer.Exit(collector.run(settings))
