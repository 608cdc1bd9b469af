"""The traits of a node with when and where each was said, and how two such documents become one. Pure."""

from typing import Any

import msgspec


class Trait(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A value as it was said last."""

    value: Any
    stamp: str
    source: str


Document = dict[str, Trait]

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Document).decode
EMPTY = encode({})


def said(traits: dict[str, Any], stamp: str, source: str) -> Document:
    return {name: Trait(value, stamp, source) for name, value in traits.items()}


def merged(one: Document, other: Document) -> Document:
    """Trait by trait the one said last."""
    whole = dict(one)
    for name, trait in other.items():
        known = whole.get(name)
        if known is None or trait.stamp > known.stamp or (trait.stamp == known.stamp and _tie(trait) > _tie(known)):
            whole[name] = trait
    return whole


def after(document: Document, erased: str) -> Document:
    """What was said since it was erased."""
    return {name: trait for name, trait in document.items() if trait.stamp > erased} if erased else document


def _tie(trait: Trait) -> bytes:
    """Two sources may use one message id: then the greater value counts, so that there is a rule at all."""
    return msgspec.json.encode((trait.value, trait.source), order="deterministic")
