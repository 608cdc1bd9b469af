"""What may be asked of regulations, and how much of it at once."""

MOST_SUBJECTS = 5_000
MOST_LISTED = 200

STATES = ("INITIALIZED", "INVALID", "NOT_SUPPORTED", "RUNNING", "PARTIAL_SUCCESS", "FAILED", "FINISHED")
