"""What can be wrong with a wish to change users and groups."""

from destinations.profiles.node import Node

NAMES = {"user_id": "user", "anonymous_id": "visitor", "group_id": "group"}


class NotThere(Exception):
    """Nobody has heard of it."""

    def __init__(self, *nodes: Node) -> None:
        super().__init__("; ".join(f"there is no {NAMES[node.kind]} {node.value!r}" for node in nodes))
        self.nodes = nodes


class AlreadyThere(Exception):
    """What was to be made exists."""

    def __init__(self, node: Node) -> None:
        super().__init__(f"there is a {NAMES[node.kind]} {node.value!r} already")
        self.node = node
