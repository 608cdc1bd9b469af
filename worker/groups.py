"""The consumer groups of a stream: one for each destination that its source has, or had."""

from typing import Any

import redis

Groups = dict[str, dict[str, Any]]
"""By name, what XINFO GROUPS says of each."""


def groups_of(client: "redis.Redis", stream: str) -> Groups:
    """None where there is no such stream yet."""
    try:
        return {group["name"].decode(): group for group in client.xinfo_groups(stream)}
    except redis.exceptions.ResponseError:
        return {}
