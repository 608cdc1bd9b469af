"""Runs a published Python client several times at once: what it is to do comes in as JSON, what it said goes out.

The first word of the command line is the module of its `Client`; see `tests/clients/published.py` for the rest. This
runs in the client's own environment, without any of our packages.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

SNAKE = {"userId": "user_id", "anonymousId": "anonymous_id", "groupId": "group_id", "previousId": "previous_id"}
connected: set[str] = set()


def note_connections(event: str, words: tuple[Any, ...]) -> None:
    """Whichever library opens a connection, or looks a name up for one."""
    if event == "socket.connect":
        address = words[1]
        connected.add(":".join(map(str, address[:2])) if isinstance(address, tuple) else str(address))
    elif event == "socket.getaddrinfo":
        connected.add(f"{words[0]}:{words[1]}")


def failures_of(module: str, settings: dict[str, Any], calls: list[dict[str, Any]]) -> list[str]:
    failures: list[str] = []

    def failed(error: Exception, batch: list[Any]) -> None:
        failures.extend(str(error) for _ in batch)

    client = import_module(module).Client(**settings, on_error=failed)
    for call in calls:
        arguments = {SNAKE.get(name, name): value for name, value in call["arguments"].items()}
        try:
            getattr(client, call["method"])(**arguments)
        except Exception as error:  # noqa: BLE001  whatever the caller of a client sees
            failures.append(str(error))
    end(client, module)
    return failures


def end(client: Any, module: str) -> None:
    if module == "analytics.client":
        # Its flush() never comes back when a message was too big: wait for what it waits for, without that message.
        while not client.queue.empty():
            time.sleep(0.01)
    else:
        client.flush()
    client.join()


def main() -> None:
    sys.addaudithook(note_connections)
    runs = json.load(sys.stdin)
    with ThreadPoolExecutor(len(runs)) as pool:
        told = {name: pool.submit(failures_of, sys.argv[1], **run) for name, run in runs.items()}
        failures = {name: run.result() for name, run in told.items()}
    print(json.dumps({"failures": failures, "connected": sorted(connected)}))


main()
