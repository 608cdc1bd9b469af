"""What can be asked for about a user, and how far it has come, in the words of Segment's regulations."""

from typing import Literal, get_args

Kind = Literal[
    "SUPPRESS_ONLY",
    "UNSUPPRESS",
    "SUPPRESS_WITH_DELETE",
    "SUPPRESS_WITH_DELETE_INTERNAL",
    "DELETE_ONLY",
    "DELETE_INTERNAL",
]
State = Literal["INITIALIZED", "RUNNING", "FINISHED", "PARTIAL_SUCCESS", "FAILED"]

SUPPRESSING = ("SUPPRESS_ONLY", "SUPPRESS_WITH_DELETE", "SUPPRESS_WITH_DELETE_INTERNAL")
DELETING = ("SUPPRESS_WITH_DELETE", "SUPPRESS_WITH_DELETE_INTERNAL", "DELETE_ONLY", "DELETE_INTERNAL")
FORWARDED = ("SUPPRESS_WITH_DELETE", "DELETE_ONLY")

KINDS: tuple[Kind, ...] = get_args(Kind)
