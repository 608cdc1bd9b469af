"""Posts messages to a collector as a client would."""

import base64
import http.client
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from collector.cli.trouble import WRONG, Trouble

TIMEOUT = 30.0


class Answer(msgspec.Struct, frozen=True):
    status: int
    text: str
    accepted: bool


def read(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise Trouble(f"{name}: {error.strerror}", code=WRONG) from error


def posts_of(text: bytes, at_once: int) -> list[tuple[str, dict[str, Any]]]:
    """Path and body of each request: for a message, a batch, a list of messages, or one message a line."""
    match _decoded(text):
        case {"batch": list()} as batch:
            return [("batch", batch)]
        case {"type": str(kind)} as message:
            return [(kind, message)]
        case list(messages):
            return [
                ("batch", {"batch": messages[start : start + at_once]}) for start in range(0, len(messages), at_once)
            ]
    raise Trouble("that is no message (it has no type), no batch and no list of messages", code=WRONG)


def send(url: str, key: str, path: str, body: dict[str, Any], trust: ssl.SSLContext | None = None) -> Answer:
    """Raises Trouble when nobody answers. `trust` is for https, in place of what the system trusts."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Trouble(f"{url} is no http or https url", code=WRONG)
    connection = (
        http.client.HTTPSConnection(parts.hostname, parts.port, timeout=TIMEOUT, context=trust)
        if parts.scheme == "https"
        else http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT)
    )
    headers = {
        "Content-Type": "application/json",
        "Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode(),
    }
    try:
        connection.request("POST", f"{parts.path.rstrip('/')}/v1/{quote(path)}", msgspec.json.encode(body), headers)
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
        connection.close()
    except (OSError, http.client.HTTPException) as error:
        raise Trouble(f"no answer from {url}: {str(error) or type(error).__name__}") from error
    return Answer(response.status, text, response.status == http.HTTPStatus.OK and not _refused(text))


def _refused(text: str) -> bool:
    """Whether a batch was taken only in part."""
    try:
        answer = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return False
    return isinstance(answer, dict) and bool(answer.get("rejected"))


def _decoded(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return list(_lines(text))


def _lines(text: bytes) -> Iterator[Any]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield msgspec.json.decode(line)
            except msgspec.DecodeError as error:
                raise Trouble(f"line {number} is not JSON: {error}", code=WRONG) from error
