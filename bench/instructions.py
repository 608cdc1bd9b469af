"""How many instructions a request costs, from the bytes of its connection to those of its answer.

    .venv/bin/python -m bench.instructions                  single, batch, and the bare app
    .venv/bin/python -m bench.instructions ../before        the same of another checkout

Counted by valgrind, which has to be installed: unlike times, the numbers do not depend on what else the machine does.
No socket and no log server take part. Two runs of different length are compared, so that starting does not count.
"""

import asyncio
import gc
import os
import re
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from bench import messages
from bench.bare import track
from bench.load import post

KINDS = {"single": (100, 1_100), "batch": (5, 45), "bare": (100, 1_100)}
"""How many requests the two runs have: of one message each, of a hundred messages each, to the bare app."""

READ = 65_536


class Wire(asyncio.Transport):
    """Takes the answers, and tells that there is one."""

    def __init__(self) -> None:
        super().__init__({"sockname": ("127.0.0.1", 1), "peername": ("127.0.0.1", 2)})
        self.answered: asyncio.Future[None]

    def write(self, data: Any) -> None:
        if not self.answered.done():
            self.answered.set_result(None)

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        return

    def resume_reading(self) -> None:
        return


class Nowhere:
    """A log that has everything at once."""

    async def put(self, items: object, refusals: object) -> None:
        return


def connection(kind: str) -> HttpToolsProtocol:
    """As the collector of this checkout has them, or as uvicorn has them for the bare app."""
    if kind == "bare":
        return HttpToolsProtocol(
            _config(Starlette(routes=[Route("/v1/track", track, methods=["POST"])])), ServerState(), {}
        )
    from collector.app import create_app  # noqa: PLC0415  # of the checkout that is measured
    from schemas.limits import Limits  # noqa: PLC0415

    log: Any = Nowhere()
    app = create_app({"web": ["dev"]}, log, now=time.time, new_id=lambda: str(uuid.uuid4()), limits=Limits())
    try:
        from collector.connections import Connections  # noqa: PLC0415
        from collector.guard import Guarded  # noqa: PLC0415
    except ImportError:  # a checkout of before
        return HttpToolsProtocol(_config(app), ServerState(), {})
    return Guarded(_config(app), ServerState(), {}, Connections())


def _config(app: Any) -> uvicorn.Config:
    config = uvicorn.Config(app, http="httptools", log_level="warning", access_log=False, lifespan="off")
    config.load()
    return config


async def ask(kind: str, count: int) -> None:
    single = kind != "batch"
    requests = [
        post("/v1/track", messages.single()) if single else post("/v1/batch", messages.batch(100)) for _ in range(5)
    ]
    wire, made = Wire(), connection(kind)
    made.connection_made(wire)
    gc.disable()
    for number in range(count):
        wire.answered = asyncio.get_running_loop().create_future()
        request = requests[number % len(requests)]
        for start in range(0, len(request), READ):
            made.data_received(request[start : start + READ])
        await wire.answered
        await asyncio.sleep(0)


def counted(kind: str, count: int, checkout: Path) -> int:
    with tempfile.NamedTemporaryFile("r", suffix=".log") as log:
        tool = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", f"--log-file={log.name}"]
        own = [sys.executable, "-P", str(Path(__file__).absolute()), kind, str(count)]
        environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(checkout.absolute())}
        subprocess.run([*tool, *own], check=True, env=environment, cwd=checkout)
        found = re.search(r"Collected : (\d+)", log.read())
    assert found, "valgrind counted nothing"
    return int(found[1])


def main(checkout: Path) -> None:
    for kind, (few, many) in KINDS.items():
        each = (counted(kind, many, checkout) - counted(kind, few, checkout)) // (many - few)
        print(f"{kind:8}{each:>12,} instructions a request", flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        asyncio.run(ask(sys.argv[1], int(sys.argv[2])))
    else:
        main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
