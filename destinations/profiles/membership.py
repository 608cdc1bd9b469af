"""Say which groups somebody is in, of what was said at different times and in different places. Pure."""

from collections.abc import Mapping
from typing import NamedTuple


class Standing(NamedTuple):
    """Whether somebody is in a group. Of two, the greater was said later."""

    stamp: str
    joined: bool


Standings = Mapping[str, Standing]
"""By the id of the group."""

_NEVER = Standing("", joined=False)


def latest(one: Standings, other: Standings) -> Standings:
    """Of each group what was said last."""
    if not other:
        return one
    return {group: max(each.get(group, _NEVER) for each in (one, other)) for group in (*one, *other)}


def joined(standings: Standings) -> list[str]:
    """The groups themselves: first the one that was named last."""
    order = sorted(standings, key=lambda group: (standings[group], group), reverse=True)
    return [group for group in order if standings[group].joined]
