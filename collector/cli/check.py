"""`turnout check`: reads the configuration and tries every connection that it names."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from collector.cli.options import AsJson, ConfigFile, DataDirectory
from collector.cli.trouble import FOUND, WRONG

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.config import Config
    from collector.tls import Tls
    from destinations.errors import Problem
    from worker.config import ServerUrl


class Finding(NamedTuple):
    """One thing that was tried."""

    what: str
    fine: bool
    words: str
    noted: bool = False
    """Fine, and yet somebody may miss something."""


def check(config: ConfigFile = None, data: DataDirectory = None, as_json: AsJson = False) -> None:
    """Name each mistake in the configuration; try each connection.

    Ends with 1 when a connection fails, and with 2 when the configuration is wrong.
    """
    from collector.config import load
    from destinations.errors import SettingsError

    try:
        settings = load(config, os.environ, data=data)
    except SettingsError as error:
        tell_problems(error.problems, as_json)
        raise typer.Exit(WRONG) from error
    findings = [Finding("configuration", True, described(settings)), *tried(settings)]
    tell_findings(findings, as_json)
    if not all(finding.fine for finding in findings):
        raise typer.Exit(FOUND)


def described(config: "Config") -> str:
    routes = "; ".join(f"{name} to {', '.join(source.destinations)}" for name, source in config.sources.items())
    return f"{config.path or 'built in'} (version {config.version}): {routes}"


def tried(config: "Config") -> Iterator[Finding]:
    from collector import run

    running = run.read(config.data)
    yield log_found(config, running.log_url if running else None)
    yield rq_found(config.rq.url, running.rq_url if running else None)
    yield database_found(config)
    yield browser_found(config)
    yield from groups_found(config)
    if config.collector.tls is not None:
        yield certificate_found(config.collector.tls)
    used = config.wanted()
    yield from (destination_found(config, name) for name in config.destinations if name in used)


def log_found(config: "Config", running: str | None) -> Finding:
    from redis.exceptions import RedisError

    from worker import connect, durability
    from worker.errors import WorkerError
    from worker.settings import same_partitions

    if config.log.url.embedded and running is None:
        return embedded_found("log")
    url = running if config.log.url.embedded and running else config.log.url
    try:
        with connect.client(url, timeout=config.log.timeout) as client:
            same_partitions(client, config.log.partitions)
            found = durability.judge(config.log.durability, durability.ask(client))
    except (RedisError, OSError, ValueError) as error:
        return Finding("log", False, f"{config.log.url!r}: {error}")
    except WorkerError as error:
        return Finding("log", False, str(error))
    return Finding("log", not found.troubles, "; ".join(found.troubles) or f"answers; durability {found.name} holds")


def rq_found(url: "ServerUrl", running: str | None) -> Finding:
    from redis.exceptions import RedisError

    from worker import connect

    if url.embedded and running is None:
        return embedded_found("rq")
    try:
        with connect.client(running if url.embedded and running else url, timeout=2.0) as client:
            client.ping()
    except (RedisError, OSError, ValueError) as error:
        return Finding("rq", False, f"{url!r}: {error}")
    return Finding("rq", True, "answers")


def database_found(config: "Config") -> Finding:
    from destinations.sql.errors import DatabaseAway
    from worker.database.engine import place_of, try_database

    try:
        try_database(config)
    except DatabaseAway as error:
        return Finding("database", False, f"{error.place}: {error.reason}")
    return Finding("database", True, place_of(config))


def browser_found(config: "Config") -> Finding:
    from collector.browser.published import NAME, PINS, places, present

    found = [pin.version for pin, _ in present(places(config.data))]
    if PINS[0].version in found:
        return Finding("browsers", True, f"load {NAME} {', '.join(found)} from here")
    return Finding("browsers", True, "cannot load their library from here: `turnout browser fetch` gets it", noted=True)


def groups_found(config: "Config") -> "Iterator[Finding]":
    from collector.groups.side import lacking

    if words := lacking(config):
        yield Finding("groups", True, words, noted=True)


def certificate_found(tls: "Tls") -> Finding:
    from cryptography import x509

    from collector.tls import Unusable, check

    try:
        check(tls)
        end = x509.load_pem_x509_certificate(Path(tls.certificate).expanduser().read_bytes()).not_valid_after_utc
    except (Unusable, OSError, ValueError) as error:
        return Finding("tls", False, str(error))
    fine = end > datetime.now(UTC)
    return Finding(
        "tls", fine, f"{tls.certificate}: {'valid until' if fine else 'ran out on'} {end:%Y-%m-%d %H:%M} UTC"
    )


def embedded_found(what: str) -> Finding:
    from worker.embedded import EmbeddedError, binary

    try:
        binary()
    except EmbeddedError as error:
        return Finding(what, False, str(error))
    return Finding(what, True, "embedded; not running now, `turnout up` starts it")


def destination_found(config: "Config", name: str) -> Finding:
    from destinations import registry

    table = config.destinations[name]
    destination = registry.make(name, table.type, table.settings, place=table.place)
    try:
        trouble = destination.check()
    finally:
        destination.close()
    return Finding(f"destination {name}", trouble is None, trouble or f"fine ({table.type})")


def tell_problems(problems: "Sequence[Problem]", as_json: bool) -> None:
    if as_json:
        tell_json([], [{"place": problem.place, "message": problem.message} for problem in problems])
        return
    for problem in problems:
        typer.echo(str(problem), err=True)
    plural = "mistake" if len(problems) == 1 else "mistakes"
    typer.echo(f"{len(problems)} {plural} in the configuration", err=True)


def tell_findings(findings: "Sequence[Finding]", as_json: bool) -> None:
    if as_json:
        tell_json([finding._asdict() for finding in findings], [])
        return
    for finding in findings:
        typer.echo(f"{mark_of(finding)}  {finding.what}: {finding.words}")


def mark_of(finding: Finding) -> str:
    if not finding.fine:
        return typer.style("BAD", fg=typer.colors.RED)
    if finding.noted:
        return typer.style("-- ", fg=typer.colors.YELLOW)
    return typer.style("ok ", fg=typer.colors.GREEN)


def tell_json(findings: "Sequence[dict[str, object]]", problems: "Sequence[dict[str, str]]") -> None:
    import msgspec

    fine = not problems and all(finding["fine"] for finding in findings)
    typer.echo(msgspec.json.encode({"ok": fine, "problems": problems, "checks": findings}).decode())
