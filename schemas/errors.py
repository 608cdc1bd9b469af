"""Say what is wrong with a message, in words for a person and in codes for a program."""

import msgspec


class Violation(msgspec.Struct, frozen=True):
    """One rule that a message breaks."""

    path: str
    """Dotted path in the message: `properties`, `traits.email`; empty for the message as a whole."""
    rule: str
    """The JSON Schema keyword that failed, or `size`, `depth`, `json` for what no schema can say."""
    expected: str
    found: str
    """What was there, described; never the value itself."""
    code: str = "schema_violation"
    """Segment's discard code for it."""

    def sentence(self) -> str:
        if not self.path:
            return f"The message should be {self.expected}, but it is {self.found}."
        if self.found == "nothing":
            return f'"{self.path}" is missing: it should be {self.expected}.'
        return f'"{self.path}" should be {self.expected}, but it is {self.found}.'


class Invalid(Exception):
    """The message cannot be taken. It carries every violation found."""

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        super().__init__(" ".join(violation.sentence() for violation in violations))
        self.violations = violations
