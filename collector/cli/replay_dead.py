"""`turnout replay --from dead`: send the dead letters again that match."""

import time

import typer

from collector.cli.asking import log_of
from collector.cli.progress import bar
from collector.cli.replay_asked import Asked, confirm, requests, selection_of, show, show_json, telling
from collector.cli.table import counted
from collector.config import Config
from worker.database.engine import open_database
from worker.letters.resend import resend
from worker.lines import RETRY, Line
from worker.replay.deadletters import Chosen, choose
from worker.replay.tempo import Tempo

SHOWN_REQUESTS = 10


def send_dead_again(config: Config, asked: Asked) -> None:
    with telling():
        selection = selection_of(config, asked)
        engine = open_database(config)
        try:
            chosen = choose(engine, selection, asked.to, config.routes(), samples=SHOWN_REQUESTS)
            if asked.dry_run:
                _show(config, asked, chosen)
                return
            if not asked.as_json:
                typer.echo(f"{counted(len(chosen.numbers), 'dead letter')} for {asked.to}")
            if chosen.numbers:
                confirm(asked)
            with log_of(config) as client, bar("dead letters", len(chosen.numbers)) as advance:
                tempo, sent = Tempo(asked.rate, time.monotonic()), 0
                for part in chosen.parts(tempo.at_once if asked.rate else 0):
                    while seconds := tempo.wait(len(part), time.monotonic()):
                        time.sleep(seconds)
                    sent += resend(client, engine, part, partitions=config.log.partitions)
                    advance(sent)
        finally:
            engine.dispose()
    if asked.as_json:
        show_json({"matched": len(chosen.numbers), "sent": sent})
    elif chosen.numbers:
        typer.echo(f"{counted(sent, 'dead letter')} on the way to {asked.to} again")


def _show(config: Config, asked: Asked, chosen: Chosen) -> None:
    texts = requests(config, asked.to, [(Line(source, RETRY, asked.to), body) for source, body in chosen.samples])
    if asked.as_json:
        show_json({"matched": len(chosen.numbers), "requests": texts})
        return
    show(texts)
    typer.echo(f"{counted(len(chosen.numbers), 'dead letter')} for {asked.to}\nnothing was sent")
