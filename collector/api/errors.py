"""Why a question about users and groups is not answered, in the words of Segment's Profile API."""


class ApiError(Exception):
    """Answered with `status` and `code`. `message` never holds a secret."""

    status = 400
    code = "invalid_request_error"
    wait: int | None = None

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Invalid(ApiError):
    """A parameter does not say what it should."""

    code = "validation_error"


class NotAllowed(ApiError):
    """No token, or none of ours."""

    status = 401
    code = "authentication_error"


class NotFound(ApiError):
    status = 404
    code = "not_found"


class TooOften(ApiError):
    """In `wait` seconds it may be tried again."""

    status = 429
    code = "rate_limit_error"

    def __init__(self, message: str, wait: int) -> None:
        super().__init__(message)
        self.wait = wait


class Away(ApiError):
    """What would know is not there at the moment."""

    status = 503
    code = "unavailable"
    wait = 5
