"""Log lines of the long-running commands."""

import logging
import time


def to_stderr() -> None:
    """Times are UTC. uvicorn tells only of trouble: what it does is ours to tell."""
    formatter = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    output = logging.StreamHandler()
    output.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[output])
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
