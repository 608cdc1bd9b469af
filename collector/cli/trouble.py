"""Expected trouble: told in a line each, without a traceback."""

from collections.abc import Iterable

FOUND = 1
"""Exit code: something does not work."""

WRONG = 2
"""Exit code: the command or the configuration is not right."""


class Trouble(Exception):
    """Ends the command."""

    def __init__(self, *lines: object, code: int = FOUND) -> None:
        super().__init__(*lines)
        self.lines: Iterable[str] = [str(line) for line in lines]
        self.code = code
