"""The `turnout` command: which commands there are, and how expected trouble is told."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from collector.cli import (
    audit,
    browser,
    check,
    dead,
    detach,
    groups,
    pausing,
    quarantine,
    replay,
    send,
    serve,
    status,
    tail,
    up,
    users,
    version,
    where,
    work,
)
from collector.cli.trouble import Trouble

app = typer.Typer(
    name="turnout",
    help="Collects customer events over HTTP and carries each to every destination that should have it.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)

for command in (
    up.up,
    serve.serve,
    work.work,
    send.send,
    tail.tail,
    status.status,
    where.where,
    audit.audit,
    pausing.pause,
    pausing.resume,
    detach.detach,
    check.check,
    version.version,
):
    app.command()(command)

app.add_typer(browser.browser)
app.add_typer(dead.dead)
app.add_typer(groups.groups)
app.add_typer(quarantine.quarantine)
app.add_typer(replay.replay)
app.add_typer(users.users)


@app.callback(invoke_without_command=True)
def help_or_command(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Show the version, and end.")] = False,
) -> None:
    if show_version:
        version.version()
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command. Exit code 0: fine; 1: trouble found; 2: wrong usage or configuration."""
    try:
        app(None if arguments is None else list(arguments))
    except Trouble as trouble:
        for line in trouble.lines:
            typer.echo(f"turnout: {line}", err=True)
        sys.exit(trouble.code)


if __name__ == "__main__":
    main()
