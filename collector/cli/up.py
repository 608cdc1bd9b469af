"""`turnout up`: everything on this machine, in one process tree."""

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import typer

from collector.cli.options import ConfigFile, DataDirectory, Host, Port, Workers, configured, reading_anew
from collector.cli.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Sequence
    from socket import socket

    from collector.config import Config
    from collector.reload import Reread
    from collector.supervise import KeptServer, Program
    from worker.embedded import Server


def up(
    config: ConfigFile = None,
    data: DataDirectory = None,
    host: Host = None,
    port: Port = None,
    workers: Workers = None,
) -> None:
    """Run everything on this machine, in one process tree.

    A log server, RQ's server, the collector and the workers: nothing has to be
    installed or configured first. Ctrl-C stops it all; the next start goes on
    where this one stopped. SIGHUP, or a change of the configuration's file,
    takes the new configuration over.
    """
    settings = configured(config, data, host=host, port=port, workers=workers)
    anew = reading_anew(settings, config, data, host=host, port=port, workers=workers)
    from collector import tls
    from collector.supervise import CannotStart
    from worker.embedded import DirectoryLock, EmbeddedError

    try:
        tls.check(settings.collector.tls)
        settings.data.mkdir(parents=True, exist_ok=True)
        # Held until this process ends.
        DirectoryLock(settings.data / "turnout.lock").take()
        keep_running(settings, anew, workers)
    except (CannotStart, EmbeddedError) as error:
        raise Trouble(*str(error).splitlines()) from error
    except tls.Unusable as error:
        raise Trouble(f"{settings.path} [collector] tls: {error}") from error
    except OSError as error:
        raise Trouble(f"{error.filename or settings.data}: {error.strerror}") from error
    say("stopped; what was accepted is kept")


def keep_running(config: "Config", read: "Reread", workers: int | None) -> None:
    """Returns when a signal asks to stop. `workers`: as the command line says, which the file then cannot change."""
    from collector import listening, run
    from collector.reaching import url_of
    from collector.reload import Standing
    from collector.supervise import Supervisor

    log, rq = servers(config)
    host, port = config.collector.host, config.collector.port
    sockets = listening_on(config)
    numbers = [one.fileno() for one in sockets]
    where = ["--host", host, "--port", str(port), *(word for number in numbers for word in ("--fd", str(number)))]
    supervisor = Supervisor(
        servers=[server for server in (log, rq) if server is not None],
        collector=program("collector", "serve", config, where, pass_fds=numbers),
        workers=program("workers", "work", config, ["--workers", str(workers)] if workers else []),
        url=url_of(config.collector),
        standing=Standing(config, read, note=lambda new: leave_note(new, log, rq), say=say),
        say=say,
    )
    try:
        supervisor.run(lambda: leave_note(config, log, rq), lambda: typer.echo(greeting(config)))
    finally:
        listening.close(sockets)
        run.remove(config.data)


def say(words: str) -> None:
    with suppress(OSError):  # a terminal that closes stops us, and must not do so in the middle of it
        typer.echo(f"turnout: {words}", err=True)


def listening_on(config: "Config") -> "list[socket]":
    """Ours, not the collector's: while it is away, who connects waits for the next one. Raises CannotStart."""
    from collector import listening
    from collector.supervise import CannotStart

    host, port = config.collector.host, config.collector.port
    try:
        return listening.listen(host, port, config.collector.backlog)
    except OSError as error:
        why = f"{error.strerror or error}: choose another with --port or --host"
        raise CannotStart(f"cannot listen on {host}:{port}: {why}") from error


def servers(config: "Config") -> "tuple[KeptServer | None, KeptServer | None]":
    """The log's and RQ's, where they are not somebody else's."""
    from collector.supervise import KeptServer
    from worker.embedded import log_server, rq_server

    own = log_server(config.data, config.log.durability, config.log.memory)
    log = KeptServer("log server", own) if config.log.url.embedded else None
    rq = KeptServer("RQ server", rq_server(config.data)) if config.rq.url.embedded else None
    return log, rq


def program(
    name: str, command: str, config: "Config", options: list[str], *, pass_fds: "Sequence[int]" = ()
) -> "Program":
    from collector.supervise import Program

    file = ["--config", config.path] if config.path else []
    # -P: the directory we happen to be in is no place to import from.
    start = [sys.executable, "-P", "-m", "collector.cli.main", command]
    return Program(name, [*start, *file, "--data", str(config.data), *options], pass_fds=pass_fds)


def leave_note(config: "Config", log: "KeptServer | None", rq: "KeptServer | None") -> None:
    import os

    from collector import run
    from collector.reaching import url_of

    def url(kept: "KeptServer | None", configured: str) -> str:
        server: Server | None = kept.server if kept else None
        return server.url if server else str(configured)

    run.write(
        config.data,
        run.Run(
            pid=os.getpid(),
            port=config.collector.port,
            url=url_of(config.collector),
            log_url=url(log, config.log.url),
            rq_url=url(rq, config.rq.url),
            config_version=config.version,
        ),
    )


def greeting(config: "Config") -> str:
    """Where to post, with which key, and a line to try it with."""
    source, keys = next(iter(config.revealed_keys().items()))
    # A key of one's own is shown to who sits at the terminal; it does not go into a file of log lines.
    key = keys[0] if config.path is None or sys.stdout.isatty() else "YOUR_WRITE_KEY"
    from collector.reaching import url_of

    url = url_of(config.collector)
    routes = (f"  goes to      {', '.join(one.destinations)} (from {name})" for name, one in config.sources.items())
    return "\n".join(
        [
            "",
            f"Turnout listens on {url}; everything it keeps is in {config.data.resolve()}",
            "",
            f"  post to      {url}/v1/track",
            "               (or identify, group, page, screen, alias, batch)",
            f"  SDKs         take {url} as their host",
            f"  settings     {url}/v1/projects/{key}/settings (pages, apps)",
            f"  write key    {key} (of source {source})",
            *routes,
            "",
            "Try it:",
            "",
            f"  curl -u {key}: {url}/v1/track \\",
            "    -H 'Content-Type: application/json' \\",
            """    -d '{"userId": "u1", "event": "Signed Up", "properties": {"plan": "pro"}}'""",
            "",
            "`turnout tail` shows messages as they come in, `turnout status` what became of",
            "them. Ctrl-C stops.",
            "",
        ]
    )
