"""Makes calls on the official Python client, as it is told on standard input, and says at the end what came of it.

The first line holds the settings of the client, each further line a call; see `tests/clients/driving.py`.
"""

import json
import logging
import sys
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from segment.analytics.client import Client

SNAKE = {
    "userId": "user_id",
    "anonymousId": "anonymous_id",
    "groupId": "group_id",
    "previousId": "previous_id",
    "messageId": "message_id",
}


class Requests(logging.Handler):
    """Counts what the client says in its log about its requests."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += str(record.msg).startswith("making request")


def revived(value: Any) -> Any:
    """JSON with the types in it that Python has and JSON has not."""
    match value:
        case {"$moment": text}:
            return datetime.fromisoformat(text)
        case {"$day": text}:
            return date.fromisoformat(text)
        case {"$decimal": text}:
            return Decimal(text)
        case dict():
            return {key: revived(inner) for key, inner in value.items()}
        case list():
            return [revived(inner) for inner in value]
        case _:
            return value


def lines() -> Iterator[Any]:
    for line in sys.stdin:
        yield json.loads(line)


def main() -> None:
    errors: list[dict[str, Any]] = []
    requests = Requests()

    def failed(error: Exception, batch: list[dict[str, Any]]) -> None:
        errors.append({"words": str(error), "messages": len(batch)})

    told = lines()
    client = Client(**next(told), on_error=failed, debug=True, log_handler=requests)
    ids = []
    for call in told:
        arguments = {SNAKE.get(name, name): revived(value) for name, value in call["arguments"].items()}
        _, message = getattr(client, call["method"])(**arguments)
        ids.append(message["messageId"])
    if client.consumers:
        client.shutdown()
    print(json.dumps({"ids": ids, "errors": errors, "requests": requests.count}))


main()
