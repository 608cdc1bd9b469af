"""One worker process: its destinations, its connections, a thread for each destination, RQ's loop."""

import logging
import random
from collections.abc import Callable, Mapping
from typing import Any

from rq.serializers import JSONSerializer

from destinations import registry
from destinations.adapter import Destination
from worker import beats, connect, garbage, jobs
from worker.breaker import Breaker, breaker_of
from worker.config import Config
from worker.courier import Courier, Pace
from worker.crew import Crew
from worker.keeper import Keeper
from worker.log import Log
from worker.pulse import Pulse
from worker.slot import Slot

ROLE = "worker"
FINISH_WITHIN = 10.0
STUCK_AFTER_LEASES = 3.0

logger = logging.getLogger(__name__)


def open_destinations(config: Config) -> dict[str, Destination[Any]]:
    """The adapters that some source asks for. Raises SettingsError."""
    wanted = config.wanted()
    return {
        name: registry.make(name, table.type, table.settings, place=table.place, order=table.order)
        for name, table in config.destinations.items()
        if name in wanted
    }


def run(config: Config, owner: str, slot: Slot) -> None:
    """Work until SIGTERM: what is in hand is finished first. `owner` is its name, to RQ too: unique while it lives."""
    deliver(config, owner, slot, open_destinations(config))


def deliver(config: Config, owner: str, slot: Slot, destinations: Mapping[str, Destination[Any]]) -> None:
    """The same for destinations that are open already."""
    garbage.look_seldom()
    client = connect.client(config.log.url, timeout=config.log.timeout)
    log = Log(client, lease_ms=int(config.worker.lease * 1000))
    keeper = Keeper(log.renew, interval=config.worker.lease / 3)
    crew = crew_of(config, destinations, log, keeper, breaker_of(client, config), owner)
    worker = rq_worker(config, crew, owner)
    sign = beats.sign(ROLE, config.version)
    longest = STUCK_AFTER_LEASES * config.worker.lease
    pulse = Pulse(client, owner, sign, slot, busy=crew.slowest, longest=longest)
    try:
        slot.ready()
        worker.work(logging_level="WARNING")
    finally:
        unfinished = crew.close(within=FINISH_WITHIN)
        pulse.close()
        keeper.close()
    if unfinished:
        logger.warning("stopped while these had not answered: %s; it will be sent again", ", ".join(unfinished))
    for name in destinations.keys() - set(unfinished):
        destinations[name].close()


def crew_of(
    config: Config,
    destinations: Mapping[str, Destination[Any]],
    log: Log,
    keeper: Keeper,
    breaker: Breaker,
    owner: str,
) -> Crew:
    """The threads that deliver; what they do not get done in one go, they put to RQ again."""
    queue = jobs.queue_on(connect.client(config.rq.url, timeout=2.0))
    courier = Courier(
        log,
        destinations,
        keeper,
        breaker,
        owner=owner,
        policy=config.policy,
        most_aside=config.worker.aside,
        pace=Pace(budget=config.worker.budget, delivery=config.worker.lease - 2.0),
        chance=random.random,
        stopping=lambda: crew.stopping,
    )

    def drain(partition: int, destination: str, gives_way: Callable[[int], bool]) -> str:
        ended = courier.drain(partition, destination, gives_way)
        breaker.give_back(destination)
        return ended

    crew = Crew(drain, lambda partition, destination: jobs.enqueue(queue, partition, destination))
    return crew


def rq_worker(config: Config, crew: Crew, owner: str) -> jobs.LeanWorker:
    rq_client = connect.rq_client(config.rq.url)
    worker = jobs.LeanWorker(
        [jobs.queue_on(rq_client)],
        name=owner,
        connection=rq_client,
        serializer=JSONSerializer,
        job_class=jobs.job_class_running(crew.take),
        worker_ttl=jobs.WORKER_TTL,
        log_job_description=False,
    )
    worker.when_asked_to_stop = crew.stop
    return worker
