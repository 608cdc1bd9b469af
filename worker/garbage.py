"""Look for garbage less often, in processes that have to do with many messages."""

import gc


def look_seldom() -> None:
    """Messages are trees, freed when they are done with: looking for cycles among them finds nothing, every time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
