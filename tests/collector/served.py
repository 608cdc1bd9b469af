"""The edge on a real uvicorn, at a port of its own."""

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
import uvloop
from starlette.types import ASGIApp

from collector.connections import Connections
from collector.server import Server


@contextmanager
def served(app: ASGIApp, rules: Connections | None = None) -> Iterator[int]:
    """The port at which the application is served."""
    config = uvicorn.Config(
        app, http="httptools", ws="none", lifespan="off", access_log=False, log_config=None, server_header=False
    )
    server = Server(config, rules or Connections())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: uvloop.run(server._serve([listener])))
        thread.start()
        try:
            port: int = listener.getsockname()[1]
            yield port
        finally:
            server.should_exit = True
            thread.join()


def shell(command: str, port: int) -> str:
    """What an example of the documentation prints when it is run against `port` in place of the usual one."""
    command = command.replace("127.0.0.1:8080", f"127.0.0.1:{port}")
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=20, check=True).stdout
