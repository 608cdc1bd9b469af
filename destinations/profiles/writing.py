"""Carry the claims of a batch into the tables, in the caller's transaction."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Select, Table, bindparam, delete, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from destinations.profiles.claims import Claims
from destinations.profiles.joining import Member, Said, roots
from destinations.profiles.node import Node
from destinations.profiles.row import Held, blank
from destinations.profiles.tables import EXTERNAL_IDS, INCREMENTS, LINKS, MEMBERS, NODES

AT_ONCE = 500
"""So many names stand in one question."""

_CHANGED = update(NODES).where(NODES.c.id == bindparam("node_id"))


class Writing:
    """One transaction."""

    def __init__(self, connection: Connection, batch: Sequence[Claims]) -> None:
        self._connection = connection
        self._batch = batch
        self._held: dict[Node, Held] = {}
        self._unsettled: set[Node] = set()

    def run(self) -> None:
        self._hold(_named(self._batch))
        for claims in self._batch:
            self._say(claims)
        self._erase()
        self._put_links()
        self._join()
        self._put_increments()
        self._put_memberships()
        self._put_external_ids()
        changed = [held.values() for held in self._held.values() if held.changed]
        if changed:
            self._connection.execute(_CHANGED, changed)

    def _say(self, claims: Claims) -> None:
        for node in claims.erases:
            self._held[node].erase(claims.stamp)
            self._unsettled.add(node)
        for node in claims.nodes:
            self._held[node].see(claims)
        if claims.about:
            held = self._held[claims.about]
            before = held.known
            held.say(claims)
            if held.known != before:
                self._unsettled.add(held.node)
        self._unsettled.update(link.node for link in claims.links)

    def _hold(self, nodes: Iterable[Node]) -> None:
        """Have their rows, which are made where they are missing; for this transaction alone."""
        wanted = sorted(set(nodes) - self._held.keys())
        self._fetch(wanted)
        missing = [node for node in wanted if node not in self._held]
        if missing:
            self._connection.execute(self._insert(NODES).on_conflict_do_nothing(), [blank(node) for node in missing])
            self._fetch(missing)

    def _fetch(self, nodes: Sequence[Node]) -> None:
        for some in _slices(nodes):
            for found in self._rows(tuple_(NODES.c.kind, NODES.c.value).in_(some)):
                self._keep(found)

    def _keep(self, found: Any) -> Held:
        node = Node(found.kind, found.value)
        if node not in self._held:
            held = self._held[node] = Held(node, found)
            if not held.root:
                held.root, held.changed = held.id, True
        return self._held[node]

    def _rows(self, condition: Any) -> Iterator[Any]:
        wanted: Select[Any] = select(NODES).where(condition).order_by(NODES.c.kind, NODES.c.value).with_for_update()
        return iter(self._connection.execute(wanted).all())

    def _erase(self) -> None:
        for held in {self._held[node] for claims in self._batch for node in claims.erases}:
            for table in (LINKS, INCREMENTS, MEMBERS, EXTERNAL_IDS):
                old = table.c.stamp <= held.erased
                self._connection.execute(delete(table).where(table.c.node == held.id, old))
            self._connection.execute(delete(MEMBERS).where(MEMBERS.c.group == held.id, MEMBERS.c.stamp <= held.erased))

    def _put_links(self) -> None:
        rows = [
            {"node": self._held[link.node].id, "user": link.user, "why": link.why, "stamp": claims.stamp}
            for claims in self._batch
            for link in claims.links
            if claims.stamp > self._held[link.node].erased
        ]
        self._put_first(LINKS, [row for row in rows if row["why"] != "manual"])
        self._put_last(LINKS, [row for row in rows if row["why"] == "manual"])

    def _join(self) -> None:
        """Work out anew who is whom, for all that has to do with the changes."""
        if not self._unsettled:
            return
        said = self._said(self._unsettled)
        targets = {Node("user_id", link.user) for links in said.values() for link in links if link.user}
        self._hold(targets)
        met = {self._held[node].root for node in (*self._unsettled, *targets)}
        for some in _slices(sorted(met)):
            for found in self._rows(or_(NODES.c.root.in_(some), NODES.c.id.in_(some))):
                self._keep(found)
        nodes = [held.node for held in self._held.values() if held.root in met]
        said = self._said(nodes)
        found_roots = roots({node: Member(node, self._held[node].known, said.get(node, ())) for node in nodes})
        for node, root in found_roots.items():
            held, number = self._held[node], self._held[root].id
            if held.root != number:
                held.root, held.changed = number, True

    def _said(self, nodes: Iterable[Node]) -> dict[Node, list[Said]]:
        by_id = {self._held[node].id: node for node in nodes}
        found: dict[Node, list[Said]] = {}
        for some in _slices(sorted(by_id)):
            for row in self._connection.execute(select(LINKS).where(LINKS.c.node.in_(some))):
                found.setdefault(by_id[row.node], []).append(Said(row.user, row.why, row.stamp))
        return found

    def _put_increments(self) -> None:
        rows = [
            {"node": held.id, "trait": one.trait, "stamp": claims.stamp, "number": number, "by": str(one.by)}
            for claims in self._batch
            if claims.about and claims.increments
            for held in [self._held[claims.about]]
            for number, one in enumerate(claims.increments)
            if claims.stamp > held.erased
        ]
        if rows:
            self._connection.execute(self._insert(INCREMENTS).on_conflict_do_nothing(), rows)

    def _put_memberships(self) -> None:
        rows = [
            {
                "node": self._held[one.node].id,
                "group": self._held[Node("group_id", one.group)].id,
                "joined": one.joined,
                "stamp": claims.stamp,
                "source": claims.source,
            }
            for claims in self._batch
            for one in claims.memberships
            if claims.stamp > max(self._held[one.node].erased, self._held[Node("group_id", one.group)].erased)
        ]
        if rows:
            put = self._insert(MEMBERS)
            newer = {name: put.excluded[name] for name in ("joined", "stamp", "source")}
            later = put.excluded.stamp > MEMBERS.c.stamp
            keys = [MEMBERS.c.node, MEMBERS.c.group]
            self._connection.execute(put.on_conflict_do_update(index_elements=keys, set_=newer, where=later), rows)

    def _put_external_ids(self) -> None:
        rows = [
            {"type": kind, "value": value, "node": held.id, "stamp": claims.stamp, "source": claims.source}
            for claims in self._batch
            if claims.about and claims.external_ids
            for held in [self._held[claims.about]]
            for kind, value in claims.external_ids
            if claims.stamp > held.erased
        ]
        self._put_first(EXTERNAL_IDS, rows)

    def _put_first(self, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        """Of what is said again only the first time counts."""
        put = self._insert(table)
        self._put(table, rows, put, put.excluded.stamp < table.c.stamp)

    def _put_last(self, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        """Of what is said again only the last time counts."""
        put = self._insert(table)
        self._put(table, rows, put, put.excluded.stamp > table.c.stamp)

    def _put(self, table: Table, rows: Sequence[dict[str, Any]], put: Any, replaces: Any) -> None:
        if rows:
            others = {name: put.excluded[name] for name in rows[0] if name not in table.primary_key.columns}
            keys = list(table.primary_key.columns)
            self._connection.execute(put.on_conflict_do_update(index_elements=keys, set_=others, where=replaces), rows)

    def _insert(self, table: Table) -> Any:
        return (sqlite if self._connection.dialect.name == "sqlite" else postgresql).insert(table)


def _named(batch: Sequence[Claims]) -> set[Node]:
    nodes = {node for claims in batch for node in claims.nodes}
    nodes.update(claims.about for claims in batch if claims.about)
    nodes.update(node for claims in batch for node in claims.erases)
    nodes.update(link.node for claims in batch for link in claims.links)
    nodes.update(Node("user_id", link.user) for claims in batch for link in claims.links if link.user)
    nodes.update(one.node for claims in batch for one in claims.memberships)
    nodes.update(Node("group_id", one.group) for claims in batch for one in claims.memberships)
    return nodes


def _slices(wanted: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(wanted), AT_ONCE):
        yield wanted[start : start + AT_ONCE]
