"""What keeps the log moving whoever dies: nudges for work that nobody has in hand, marks that are missing, trimming."""

import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from typing import cast

import redis

from worker import jobs, keys, nudge
from worker.breaker import State, breaker_of
from worker.config import Config
from worker.lines import line_of
from worker.scripts import Call, run_all
from worker.tending import attach_call, rouse_call, sweep_call, trim_call

ARMED_MS = 5_000
NUDGE_AGAIN_MS = 1_000
PROBE_AGAIN = 1.0

LineCall = Callable[[int, str, Sequence[str]], Call]
"""partition, name of a line, its destinations -> what to do there"""


class Upkeep:
    """Needs no leader: any number of processes may do it at the same time. Raises redis.RedisError."""

    def __init__(self, config: Config, log_client: "redis.Redis", rq_client: "redis.Redis") -> None:
        self._client = log_client
        self._queue = jobs.queue_on(rq_client)
        self._partitions = range(config.log.partitions)
        self._lease_ms = int(config.worker.lease * 1000)
        self._routes = config.routes()
        self._names = config.wanted()
        self._most_queued = nudge.most_queued(config.log.partitions, len(self._names))
        self._breaker = breaker_of(log_client, config)
        self._out: dict[str, State] = {}
        self._probed_at: dict[str, float] = {}
        self._turn = 0

    def sweep(self) -> None:
        """Nudge for what is due and has no owner."""
        before, self._out = self._out, self._breaker.all(self._names)
        back = before.keys() - self._out.keys()
        well = [name for name in self._names if name not in self._out and name not in back]
        live, others = self._found(self._partitions, well, NUDGE_AGAIN_MS)
        # While it was out, nudges for it came to nothing: no need to wait for one that is under way.
        live_of_back, others_of_back = self._found(self._partitions, sorted(back), 0)
        if pairs := live + live_of_back + self._probes():
            nudge.send(self._queue, pairs, self._most_queued)
        if pairs := others + others_of_back:
            nudge.send_later(self._queue, pairs, self._most_queued)

    def _probes(self) -> list[nudge.Pair]:
        """One partition for each destination that may be tried again."""
        now = time.monotonic()
        names = [name for name, state in self._out.items() if state.due and now >= self._probed_at.get(name, 0.0)]
        pairs: list[nudge.Pair] = []
        self._turn += 1
        for step in range(len(self._partitions)):
            if not names:
                break
            partition = self._partitions[(self._turn + step) % len(self._partitions)]
            found = list(itertools.chain(*self._found([partition], names, NUDGE_AGAIN_MS)))
            pairs += found
            names = [name for name in names if (partition, name) not in found]
        self._probed_at |= {name: now + PROBE_AGAIN for _, name in pairs}
        return pairs

    def _found(
        self, partitions: Sequence[int], names: Sequence[str], again_ms: int
    ) -> tuple[list[nudge.Pair], list[nudge.Pair]]:
        """Whom to nudge for live messages, and whom for anything else."""
        if not names:
            return [], []
        calls = [sweep_call(partition, names, self._lease_ms, again_ms, ARMED_MS) for partition in partitions]
        answers = cast("list[tuple[list[int], list[int]]]", run_all(self._client, calls))
        found = list(zip(partitions, answers, strict=True))
        live = [(partition, names[number - 1]) for partition, (numbers, _) in found for number in numbers]
        others = [(partition, names[number - 1]) for partition, (_, numbers) in found for number in numbers]
        return live, others

    def rouse(self) -> None:
        """A collector with another configuration appends without marking what it does not know of.

        A group that somebody removed is made again: nothing that is still in the log is lost by that.
        """
        live = self._routes.items()
        run_all(
            self._client, [attach_call(number, source, names) for number in self._partitions for source, names in live]
        )
        self._on_all_lines(rouse_call)

    def trim(self) -> None:
        """Drop what every destination is finished with."""
        self._on_all_lines(trim_call)

    def _on_all_lines(self, call: LineCall) -> None:
        live = list(self._routes.items())
        calls = [call(partition, source, names) for partition in self._partitions for source, names in live]
        calls += [call(partition, name, [line_of(name).destination]) for partition, name in self._other_lines()]
        run_all(self._client, calls)

    def _other_lines(self) -> Iterable[tuple[int, str]]:
        pipe = self._client.pipeline(transaction=False)
        for partition in self._partitions:
            pipe.smembers(keys.lines(partition))
        for partition, names in zip(self._partitions, pipe.execute(), strict=True):
            for name in sorted(names):
                yield partition, name.decode()
