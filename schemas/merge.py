"""Put what a batch says about all its messages under what each message says itself. Pure."""

from typing import Any

_UNITS = frozenset({"library"})
"""Members that describe one thing: half of one library and half of another would describe neither."""


def merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Both objects as one, a new object. At every leaf `over` wins, with null too; arrays are leaves.

    It works through a list instead of calling itself, so that no nesting is too deep for it.
    """
    whole = {**under, **over}
    open_pairs = [(whole, under, over)]
    while open_pairs:
        place, low, high = open_pairs.pop()
        for key in low.keys() & high.keys():
            below, above = low[key], high[key]
            if below.__class__ is dict and above.__class__ is dict and key not in _UNITS:
                place[key] = {**below, **above}
                open_pairs.append((place[key], below, above))
    return whole
