"""Users and groups as they should be: worked out at once from all claims, simply and slowly."""

import itertools
import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from destinations.profiles.claims import Claims, Link
from destinations.profiles.node import Node

State = dict[str, Any]


def expected(batch: Sequence[Claims]) -> dict[Node, State]:
    """Every user and group by its own node."""
    nodes = {node for claims in batch for node in named(claims)}
    root = {node: root_of(node, batch) for node in nodes}
    families = {own: [node for node in nodes if root[node] == own] for own in set(root.values())}
    return {own: state(own, family, batch, root) for own, family in families.items()}


def named(claims: Claims) -> set[Node]:
    targets = [Node("user_id", link.user) for link in claims.links if link.user]
    groups = [Node("group_id", one.group) for one in claims.memberships]
    people = [one.node for one in claims.memberships]
    about = [claims.about] if claims.about else []
    return {*claims.nodes, *about, *targets, *groups, *people, *(link.node for link in claims.links)}


def links_of(node: Node, batch: Iterable[Claims]) -> list[tuple[str, Link]]:
    return [(claims.stamp, link) for claims in batch for link in claims.links if link.node == node]


def holding(node: Node, batch: Sequence[Claims]) -> tuple[bool, str, Link] | None:
    """The link that would hold, with its rank, were there no circles."""
    links = links_of(node, batch)
    by_hand = [(stamp, link.user, link) for stamp, link in links if link.why == "manual"]
    if by_hand and (last := max(by_hand))[1]:
        return False, last[0], last[2]
    if any(claims.known and claims.about == node for claims in batch):
        return None
    said = [(stamp, link.user, link.why, link) for stamp, link in links if link.why != "manual"]
    return (True, min(said)[0], min(said)[3]) if said else None


def root_of(node: Node, batch: Sequence[Claims]) -> Node:
    way: list[Node] = []
    while node not in way:
        way.append(node)
        link = holding(node, batch)
        if link is None:
            return node
        node = Node("user_id", link[2].user)
    circle = way[way.index(node) :]
    return max(circle, key=lambda one: (rank(holding(one, batch)), one))


def rank(link: tuple[bool, str, Link] | None) -> tuple[bool, str, str, str]:
    assert link is not None
    return link[0], link[1], link[2].user, link[2].why


def state(own: Node, family: Sequence[Node], batch: Sequence[Claims], root: dict[Node, Node]) -> State:
    about = [claims for claims in batch if claims.about in family]
    seen = [
        (claims.stamp if node == claims.about else f"{claims.stamp[:13]}:00:00.000Z ", claims.source)
        for claims in batch
        for node in claims.nodes
        if node in family
    ]
    return {
        "ids": sorted({node for claims in batch for node in claims.nodes if node in family} | {own}),
        "external": sorted({one for claims in about for one in claims.external_ids}),
        "traits": traits(about),
        "groups": groups(family, batch),
        "first": min(seen, default=("", "")),
        "last": max(seen, default=("", "")),
        "refused": sorted(
            {
                (*link.node, link.user, link.why)
                for claims in batch
                for link in claims.links
                if link.why != "manual"
                and root[link.node] != root[Node("user_id", link.user)]
                and own in (root[link.node], root[Node("user_id", link.user)])
            }
        ),
    }


def traits(about: Sequence[Claims]) -> dict[str, Any]:
    found: dict[str, tuple[str, bytes, Any]] = {}
    for claims in about:
        for name, value in claims.traits.items():
            one = (claims.stamp, tie(value, claims.source), value)
            found[name] = max(found.get(name, one), one, key=lambda each: each[:2])
    values = {name: one[2] for name, one in found.items()}
    for name, total in sums(about, {name: one[0] for name, one in found.items()}).items():
        before = values.get(name)
        if before is None or (isinstance(before, int) and not isinstance(before, bool)):
            values[name] = int((before or 0) + total)
    return values


def sums(about: Sequence[Claims], since: dict[str, str]) -> dict[str, Decimal]:
    each: dict[tuple[Node | None, str, str, int], tuple[str, str, Decimal]] = {}
    for claims in about:
        for number, one in enumerate(claims.increments):
            key = (claims.about, claims.source, claims.stamp.partition(" ")[2], number)
            row = (claims.stamp, one.trait, Decimal(one.by))
            each[key] = min(each.get(key, row), row)
    counted = [row for row in each.values() if row[1] not in since or row[0] > since[row[1]]]
    counted.sort(key=lambda row: row[1])
    return {name: sum((row[2] for row in rows), Decimal(0)) for name, rows in grouped(counted)}


def grouped(rows: Sequence[Any]) -> Iterable[tuple[str, list[Any]]]:
    return ((name, list(some)) for name, some in itertools.groupby(rows, key=lambda row: row[1]))


def groups(family: Sequence[Node], batch: Sequence[Claims]) -> list[str]:
    last: dict[str, tuple[str, bool, str]] = {}
    for claims in batch:
        for one in claims.memberships:
            if one.node in family:
                said = (claims.stamp, one.joined, claims.source)
                last[one.group] = max(last.get(one.group, said), said)
    return sorted(group for group, said in last.items() if said[1])


def tie(value: Any, source: str) -> bytes:
    return json.dumps([value, source], separators=(",", ":"), sort_keys=True).encode()
