"""Real servers and processes to measure: started in a temporary directory, stopped at the end."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from worker import connect, keys, status
from worker.config import PROFILES, Config, DestinationTable, Source
from worker.embedded import Server, log_server, rq_server

ROOT = Path(__file__).parent.parent
LONGEST_WAIT = 300.0


class Rig:
    """An empty log and RQ, a configuration with one source `web`, and ways to start what works on them."""

    def __init__(self, directory: Path, destinations: str, names: tuple[str, ...]) -> None:
        self.directory = directory
        self.log: Server = log_server(directory, "fsync")
        self.rq: Server = rq_server(directory)
        self.log.start()
        self.rq.start()
        self.file = directory / "turnout.toml"
        self.file.write_text(
            f'data = "{directory}"\n[log]\nurl = "{self.log.url}"\n[rq]\nurl = "{self.rq.url}"\n'
            f'[sources.web]\nwrite_keys = ["dev"]\n{destinations.format(directory=directory)}'
        )
        self.client = connect.client(self.log.url, timeout=30.0)
        self.names = tuple(dict.fromkeys((*names, PROFILES)))
        self._processes: list[subprocess.Popen[bytes]] = []

    def collector(self) -> int:
        """Start one collector process; the port that it listens on."""
        port = free_port()
        self._start("serve", "--port", str(port))
        wait_for(lambda: listens(port))
        return port

    def workers(self, processes: int) -> "subprocess.Popen[bytes]":
        return self._start("work", "--workers", str(processes))

    def command(self, *words: str) -> "subprocess.Popen[bytes]":
        """A command of Turnout, while it runs."""
        return self._start(*words)

    def end(self, process: "subprocess.Popen[bytes]") -> None:
        process.terminate()
        process.wait(30)
        self._processes.remove(process)

    def waiting(self) -> int:
        """Messages that some destination has not finished with, over all destinations."""
        return sum(row.waiting for row in status.read(self.client, self._config()).rows)

    def delivered(self, destination: str) -> int:
        """Cheap enough to be asked all the time."""
        return self.delivered_to([destination])

    def delivered_to(self, destinations: Sequence[str]) -> int:
        pipe = self.client.pipeline(transaction=False)
        for partition in range(self._config().log.partitions):
            pipe.hmget(keys.count(partition, "web"), [f"delivered:{name}" for name in destinations])
        return sum(int(found or 0) for row in pipe.execute() for found in row)

    def close(self) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(30)
        self.client.close()
        self.log.stop()
        self.rq.stop()

    def _config(self) -> Config:
        tables = {name: DestinationTable(type=name) for name in self.names}
        return Config(sources={"web": Source(destinations=self.names)}, destinations=tables)

    def _start(self, *words: str) -> "subprocess.Popen[bytes]":
        output = (self.directory / "output.txt").open("ab")
        command = [sys.executable, "-P", "-m", "collector.cli.main", words[0], "--config", str(self.file), *words[1:]]
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=ROOT)
        output.close()
        self._processes.append(process)
        return process


@contextmanager
def rig(destinations: str = "", names: tuple[str, ...] = ("archive",)) -> Iterator[Rig]:
    directory = Path(tempfile.mkdtemp(prefix="turnout-bench-"))
    made = Rig(directory, destinations, names)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def bare() -> Iterator[int]:
    """The reference app; its port."""
    port = free_port()
    process = subprocess.Popen([sys.executable, str(ROOT / "bench" / "bare.py"), str(port)], env=dict(os.environ))
    try:
        wait_for(lambda: listens(port))
        yield port
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def wait_for(condition: Callable[[], bool], pause: float = 0.02) -> None:
    end = time.monotonic() + LONGEST_WAIT
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("a bench waited too long")
        time.sleep(pause)
