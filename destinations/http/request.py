"""A request as an adapter builds it, and what came back."""

import email.utils
import re
from collections.abc import Mapping
from typing import Any, Self

import msgspec
from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

# A vendor that asks for more than a day is wrong, or hostile.
LONGEST_WAIT_SECONDS = 86_400.0

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNSAFE_VALUE = re.compile(r"[^\t\x20-\x7e]")
_UNSAFE_URL = re.compile(r"[^\x21-\x7e]")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\u00a0-\uffff]+")


class Request(msgspec.Struct, frozen=True):
    """One HTTP request, complete but for what `seal` adds.

    Requests that carry the same `batch` name may travel together, put into one by `combine`.
    """

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes = b""
    batch: str = ""

    @classmethod
    def json(
        cls, method: str, url: str, value: object, headers: Mapping[str, str] | None = None, batch: str = ""
    ) -> Self:
        """A request whose body is `value` as JSON."""
        typed = merged({"Content-Type": "application/json"}, headers or {})
        return cls(method, url, typed, msgspec.json.encode(value), batch)

    def with_headers(self, headers: Mapping[str, str]) -> "Request":
        return msgspec.structs.replace(self, headers=merged(self.headers, headers))

    def __repr__(self) -> str:
        # Headers, path and body may hold secrets that were revealed to build them.
        return f"Request({self.method} {origin(self.url)}, {len(self.body)} bytes)"


class Answer(msgspec.Struct, frozen=True):
    """What the destination answered; header names are lower-case."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""
    whole: bool = True  # False: the body was longer than what is read of an answer
    at: float = 0.0  # epoch seconds

    def json(self) -> Any:
        """The body read as JSON; msgspec.DecodeError when it is not."""
        return msgspec.json.decode(self.body)

    @property
    def retry_after(self) -> float | None:
        """Seconds that the destination asks to wait, when it asks for any."""
        seconds = _seconds(self.headers.get("retry-after", "").strip(), self.at)
        return min(seconds, LONGEST_WAIT_SECONDS) if seconds is not None and seconds > 0 else None

    def excerpt(self, chars: int = 200) -> str:
        """The beginning of the body as one printable line."""
        text = self.body[: chars * 4].decode("utf-8", "replace")
        return _UNPRINTABLE.sub(" ", text).strip()[:chars]


class NoAnswer(msgspec.Struct, frozen=True):
    """The request was sent, or was to be sent, and nothing usable came back."""

    reason: str


def merged(headers: Mapping[str, str], over: Mapping[str, str]) -> dict[str, str]:
    """Both; where they name the same header, in whatever case, only that of `over`."""
    taken = {name.lower() for name in over}
    return {name: value for name, value in headers.items() if name.lower() not in taken} | dict(over)


def flaw(request: Request) -> str | None:
    """Why the request must not go out as it is; None when it may. A value is never repeated."""
    if not _TOKEN.fullmatch(request.method):
        return "the method is not an HTTP token"
    if _UNSAFE_URL.search(request.url) or _origin(request.url) is None:
        return "the URL is not a valid http or https URL"
    for name, value in request.headers.items():
        if not _TOKEN.fullmatch(name):
            return f"the header name {name[:40]!r} is not an HTTP token"
        if _UNSAFE_VALUE.search(value):
            return f"the value of header {name[:40]} has a character that HTTP does not allow"
    return None


def origin(url: str) -> str:
    """Scheme, host and port: as much of a URL as may be shown."""
    found = _origin(url)
    return "an invalid URL" if found is None else str(Url(found.scheme, host=found.host, port=found.port))


def _origin(url: str) -> Url | None:
    try:
        parsed = parse_url(url)
    except LocationParseError:
        return None
    return parsed if parsed.scheme in ("http", "https") and parsed.host else None


def _seconds(text: str, now: float) -> float | None:
    if re.fullmatch(r"\d{1,12}(\.\d+)?", text):
        return float(text)
    try:
        return email.utils.parsedate_to_datetime(text).timestamp() - now
    except (ValueError, OverflowError):
        return None
