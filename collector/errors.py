"""Why a request cannot be answered with success: one type for each thing the edge does about it."""


class EdgeError(Exception):
    """Answered with `status` in the one JSON shape of `answers`. `message` never holds a secret."""

    status = 400

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class BadRequest(EdgeError):
    """Nothing of this request is worth keeping."""


class BadBody(EdgeError):
    """The body cannot be read as messages; `legible` is as much of it as may be kept."""

    def __init__(self, code: str, message: str, legible: bytes | None = None) -> None:
        super().__init__(code, message)
        self.legible = legible


class Unauthorized(EdgeError):
    """No write key, or one that belongs to no source."""

    status = 401


class UnknownKey(Unauthorized):
    """A write key that belongs to no source: a mistake, or a guess."""


class Forbidden(EdgeError):
    """The key is good, but not for whoever uses it here."""

    status = 403


class TooMany(EdgeError):
    """More than may come in now; in `wait` seconds it may be tried again."""

    status = 429

    def __init__(self, code: str, message: str, wait: int) -> None:
        super().__init__(code, message)
        self.wait = wait


class TooSlow(EdgeError):
    """The body did not come in time."""

    # Not 408: several SDKs give a batch up on any 4xx, and a slow connection is no reason to lose one.
    status = 503


class Crowded(EdgeError):
    """There is no room for so large a body at the moment."""

    status = 503


class ClientGone(Exception):
    """The client hung up before its body was complete: there is nobody to answer."""
