"""Log lines of the long-running commands."""

import logging
import time


def to_stderr() -> None:
    """Times are UTC. Libraries tell only of trouble: what they do is ours to tell."""
    formatter = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    output = logging.StreamHandler()
    output.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[output])
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    # Making the tables is no news to whoever starts Turnout for the first time.
    logging.getLogger("alembic").setLevel(logging.WARNING)
