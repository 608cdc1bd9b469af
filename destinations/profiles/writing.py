"""Carry the claims of a batch into the tables, in a transaction during which nobody else writes there."""

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection

from destinations.profiles.bulk import Put, Row
from destinations.profiles.claims import Claims, within_hour
from destinations.profiles.erasing import erase
from destinations.profiles.holding import Holding
from destinations.profiles.joining import Said
from destinations.profiles.kinship import settle
from destinations.profiles.node import Node, message_of
from destinations.profiles.row import Held
from destinations.profiles.tables import EXTERNAL_IDS, INCREMENTS, LINKS, MEMBERS

_SAID = Put(LINKS, first=("stamp",))
_DECIDED = Put(LINKS, last=("stamp",))
_MEMBERS = Put(MEMBERS, last=("stamp", "joined", "source"))
_EXTERNAL_IDS = Put(EXTERNAL_IDS, first=("stamp", "source"))
_INCREMENTS = Put(INCREMENTS, first=("stamp", "trait", "by"))


class Writing:
    """One transaction."""

    def __init__(self, connection: Connection, batch: Sequence[Claims]) -> None:
        self._connection = connection
        self._batch = batch
        self._held = Holding(connection)

    def run(self) -> None:
        self._held.hold(_named(self._batch))
        erase(self._connection, self._held, self._batch)
        for claims in self._batch:
            self._say(claims)
        links = list(self._links())
        settle(self._connection, self._held)
        self._held.write()
        _SAID(self._connection, [link for link in links if link[2] != "manual"])
        _DECIDED(self._connection, [link for link in links if link[2] == "manual"])
        _MEMBERS(self._connection, self._memberships())
        _EXTERNAL_IDS(self._connection, self._external_ids())
        _INCREMENTS(self._connection, self._increments())

    def _say(self, claims: Claims) -> None:
        hour = within_hour(claims.stamp)
        for node in claims.nodes:
            self._held[node].see(claims.stamp if node == claims.about else hour, claims.source)
        if claims.about:
            self._held[claims.about].say(claims)

    def _links(self) -> Iterator[Row]:
        """Those that were not there before."""
        for claims in self._batch:
            for node, user, why in claims.links:
                held, target = self._held[node], self._target(user)
                said = Said(target.node.value if target else "", why, claims.stamp)
                if claims.stamp > max(held.erased, target.erased if target else "") and not held.standing.covers(said):
                    held.hear(said)
                    yield held.id, said.user, why, claims.stamp

    def _target(self, user: str) -> Held | None:
        return self._held[Node("user_id", user)] if user else None

    def _memberships(self) -> Iterator[Row]:
        for claims in self._batch:
            for node, name, joined in claims.memberships:
                held, group = self._held[node], self._held[Node("group_id", name)]
                if claims.stamp > max(held.erased, group.erased):
                    yield held.id, group.id, joined, claims.stamp, claims.source

    def _external_ids(self) -> Iterator[Row]:
        for claims, held in self._about():
            for kind, value in claims.external_ids:
                yield kind, value, held.id, claims.stamp, claims.source

    def _increments(self) -> Iterator[Row]:
        for claims, held in self._about():
            message = message_of(claims.stamp)
            for number, one in enumerate(claims.increments):
                yield held.id, claims.source, message, number, claims.stamp, one.trait, str(one.by)

    def _about(self) -> Iterator[tuple[Claims, Held]]:
        """Those that say something of somebody, and of whom."""
        for claims in self._batch:
            if claims.about and (claims.external_ids or claims.increments):
                held = self._held[claims.about]
                if claims.stamp > held.erased:
                    yield claims, held


def _named(batch: Iterable[Claims]) -> set[Node]:
    nodes: set[Node] = set()
    for claims in batch:
        nodes.update(claims.nodes, claims.erases)
        if claims.about:
            nodes.add(claims.about)
        for link in claims.links:
            nodes.add(link.node)
            if link.user:
                nodes.add(Node("user_id", link.user))
        for one in claims.memberships:
            nodes.update((one.node, Node("group_id", one.group)))
    return nodes
