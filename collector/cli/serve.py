"""`turnout serve`: the HTTP side alone."""

from typing import Annotated

import typer

from collector.cli.options import ConfigFile, DataDirectory, Host, Port, configured, reaching, reading_anew
from collector.cli.trouble import Trouble

Descriptors = Annotated[
    list[int] | None,
    typer.Option(
        "--fd", metavar="NUMBER", min=3, help="A listening socket that is open already, in place of --host and --port."
    ),
]


def serve(
    config: ConfigFile = None,
    data: DataDirectory = None,
    host: Host = None,
    port: Port = None,
    fd: Descriptors = None,
) -> None:
    """Take messages over HTTP and append them to the log.

    SIGHUP, or a change of the configuration's file, takes the new
    configuration over. SIGTERM stops after the requests in hand.
    """
    settings = reaching(configured(config, data, host=host, port=port))
    from collector import listening
    from collector import serve as collector
    from collector.cli import logs
    from collector.run import located

    anew = reading_anew(settings, config, data, host=host, port=port)
    logs.to_stderr()
    try:
        sockets = listening.given(fd or [])
    except OSError as error:
        raise Trouble(f"--fd: {error.strerror}") from error
    raise typer.Exit(collector.run(settings, lambda: located(anew()), sockets))
