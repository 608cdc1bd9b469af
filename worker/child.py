"""One worker process: its courier, its connections, RQ's loop."""

import logging
import random
from typing import Any

import redis
from rq.serializers import JSONSerializer

from destinations import registry
from destinations.adapter import Destination
from worker import connect, jobs
from worker.breaker import Breaker
from worker.config import Config
from worker.courier import Courier, Pace
from worker.keeper import Keeper
from worker.log import Log

logger = logging.getLogger(__name__)


def open_destinations(config: Config) -> dict[str, Destination[Any]]:
    """The adapters that some source asks for. Raises SettingsError."""
    wanted = config.wanted()
    return {
        name: registry.make(name, table.type, table.settings, place=table.place, order=table.order)
        for name, table in config.destinations.items()
        if name in wanted
    }


def run(config: Config, owner: str) -> None:
    """Work until SIGTERM: a job in hand is finished first. `owner` is its name, to RQ too: unique while it lives."""
    destinations = open_destinations(config)
    client = connect.client(config.log.url, timeout=config.log.timeout)
    log = Log(client, lease_ms=int(config.worker.lease * 1000))
    keeper = Keeper(log.renew, interval=config.worker.lease / 3)
    rq_client = connect.rq_client(config.rq.url)
    worker: jobs.LeanWorker
    courier = Courier(
        log,
        destinations,
        keeper,
        Breaker(client),
        owner=owner,
        policy=config.policy,
        most_aside=config.worker.aside,
        pace=Pace(budget=config.worker.budget, delivery=config.worker.lease - 2.0),
        chance=random.random,
        stopping=lambda: bool(worker._stop_requested),
    )
    queue = jobs.queue_on(rq_client)

    def drain(partition: int, destination: str) -> str:
        try:
            ended = courier.drain(partition, destination)
        except redis.RedisError as error:
            logger.warning("the log is away: %s", error)
            return "away"
        if ended == "more":
            jobs.enqueue(queue, partition, destination)
        return ended

    worker = jobs.LeanWorker(
        [queue],
        name=owner,
        connection=rq_client,
        serializer=JSONSerializer,
        job_class=jobs.job_class_running(drain),
        worker_ttl=jobs.WORKER_TTL,
        log_job_description=False,
    )
    worker.work(logging_level="WARNING")
    keeper.close()
    for destination in destinations.values():
        destination.close()
