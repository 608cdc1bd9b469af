"""The script calls that tend the log of one partition, as values: so that many can travel together. Pure."""

from collections.abc import Sequence

from worker import keys, scripts
from worker.scripts import Call


def attach_call(partition: int, source: str, destinations: Sequence[str]) -> Call:
    """Gives a stream the groups that are missing; answers with their names."""
    names = [keys.log(partition, source), keys.count(partition, source)]
    names += [keys.detached(partition, destination) for destination in destinations]
    return Call(scripts.ATTACH, names, [source, *destinations])


def sweep_call(partition: int, destinations: Sequence[str], lease_ms: int, again_ms: int, armed_ms: int) -> Call:
    """Answers with the positions (from 1) of the destinations with work, no owner and no recent nudge: live, others."""
    kinds = (keys.lease, keys.ready, keys.armed, keys.later, keys.aside)
    names = [kind(partition, destination) for destination in destinations for kind in kinds]
    return Call(scripts.SWEEP, names, [lease_ms, again_ms, armed_ms])


def rouse_call(partition: int, line: str, destinations: Sequence[str]) -> Call:
    """Marks the line ready where it has something and no mark."""
    names = [keys.log(partition, line), *(keys.ready(partition, name) for name in destinations)]
    return Call(scripts.ROUSE, names, [line, *destinations])


def trim_call(partition: int, line: str, destinations: Sequence[str]) -> Call:
    """Drops what every group has finished with; not while one of `destinations` has no group, and is not detached."""
    names = [keys.log(partition, line), *(keys.detached(partition, name) for name in destinations)]
    return Call(scripts.TRIM, names, [line, *destinations])


def disown_call(partition: int, destinations: Sequence[str], owner: str) -> Call:
    """Frees the leases of an owner who is dead."""
    names = [kind(partition, name) for name in destinations for kind in (keys.lease, keys.armed, keys.later)]
    return Call(scripts.DISOWN, names, [owner])
