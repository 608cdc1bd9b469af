"""The values that settings of HTTP destinations are made of: URLs and headers."""

import re
from ipaddress import ip_address
from typing import ClassVar, Self

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from destinations.errors import Unfit
from destinations.http.guard import not_public
from destinations.values import Secret

_VISIBLE = re.compile(r"[\x21-\x7e]+")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PRINTABLE = re.compile(r"[\t\x20-\x7e]*")

# Set by the HTTP library, or part of how a connection is used.
_RESERVED_HEADERS = frozenset(
    {"connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)


class HttpUrl(str):
    """An http or https URL with a host, and without credentials in it."""

    __slots__ = ()
    expected: ClassVar[str] = "an http or https URL"

    @classmethod
    def read(cls, value: object) -> Self:
        if not isinstance(value, str) or not _VISIBLE.fullmatch(value):
            raise Unfit(f"must be {cls.expected}, without spaces or characters beyond ASCII")
        try:
            parsed = parse_url(value)
        except LocationParseError:
            raise Unfit(f"must be {cls.expected}") from None
        if parsed.scheme not in ("http", "https") or not parsed.host:
            raise Unfit(f"must be {cls.expected}")
        if parsed.auth:
            raise Unfit("must not hold a user name or password: send an Authorization header instead")
        if parsed.fragment:
            raise Unfit("must not have a fragment (#...): it would not be sent")
        return cls(value)

    @property
    def is_plain(self) -> bool:
        return parse_url(self).scheme == "http"

    @property
    def hidden_place(self) -> str | None:
        """What kind of non-public place the host is, as far as can be told without looking a name up."""
        host = (parse_url(self).host or "").strip("[]").rstrip(".")
        if host == "localhost" or host.endswith(".localhost"):
            return "loopback"
        try:
            return not_public(str(ip_address(host.partition("%")[0])))
        except ValueError:
            return None


class HeaderName(str):
    """The name of a header that may be set freely."""

    __slots__ = ()
    expected: ClassVar[str] = "a header name"

    @classmethod
    def read(cls, value: object) -> Self:
        if not isinstance(value, str) or not _TOKEN.fullmatch(value):
            raise Unfit("is not a header name")
        if value.lower() in _RESERVED_HEADERS:
            raise Unfit("is set by Turnout itself")
        return cls(value)


class HeaderValue(Secret):
    """The value of a header: printable ASCII. It may well be a credential, so it is kept like one."""

    __slots__ = ()
    expected: ClassVar[str] = "text of printable ASCII characters"

    @classmethod
    def read(cls, value: object) -> Self:
        if isinstance(value, cls):
            return value
        if not isinstance(value, str) or not _PRINTABLE.fullmatch(value):
            raise Unfit(f"must be {cls.expected}")
        return cls(value)
