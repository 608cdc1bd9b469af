"""Take the properties that mean something to OpenPanel out of those that belong to the event. Pure."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from collector.dialects.openpanel.visitor import address_in
from schemas.dates import moment

AHEAD_MS = 60_000
"""A `__timestamp` further in the future is not believed."""

_PAGE = {"__path": "path", "__title": "title", "__referrer": "referrer"}
_APP = {"__version": "version", "__buildNumber": "build"}
_DEVICE_CHARS = 64


class Special(msgspec.Struct, frozen=True, kw_only=True):
    """What the properties say that begin with two underscores."""

    properties: dict[str, Any]
    """All the others."""
    timestamp: object = None
    """When it happened, by the client's clock; None when it does not say so, or cannot be right."""
    address: str = ""
    device: str = ""
    identify: object = None
    page: Mapping[str, Any] = {}
    app: Mapping[str, Any] = {}


def special(said: Mapping[str, Any], received_ms: int) -> Special:
    """Those that we do not know, and those of no use as what they claim to be, stay with the properties."""
    left = {name: value for name, value in said.items() if not name.startswith("__bot")}
    if left.get("__revenue") is not None:
        left["revenue"] = left.pop("__revenue")
    return Special(
        timestamp=left.pop("__timestamp") if is_believed(left.get("__timestamp"), received_ms) else None,
        address=address_in(left.pop("__ip")) if address_in(left.get("__ip")) else "",
        device=left.pop("__deviceId") if _is_device(left.get("__deviceId")) else "",
        identify=left.pop("__identify", None),
        page=_page(_taken(left, _PAGE)),
        app=_taken(left, _APP),
        properties=left,
    )


def is_believed(timestamp: object, received_ms: int) -> bool:
    """Whether a client's time may be taken as the time of the event."""
    read = moment(timestamp)
    return read is not None and read.ms <= received_ms + AHEAD_MS


def _is_device(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _DEVICE_CHARS


def _taken(left: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """What is there under these names, taken out, under their new names."""
    said = {new: left.pop(old, None) for old, new in names.items()}
    return {name: value for name, value in said.items() if value is not None and value != ""}


def _page(page: dict[str, Any]) -> dict[str, Any]:
    """`path` may hold a whole URL: browsers send one."""
    path = page.get("path")
    if not isinstance(path, str) or "://" not in path:
        return page
    try:
        url = urlsplit(path)
    except ValueError:
        return page
    search = {"search": f"?{url.query}"} if url.query else {}
    return {**page, "path": url.path or "/", "url": path, **search}
