"""What is told about the health of this collector, and of the whole."""

import asyncio
from collections.abc import Mapping, Sequence

import redis

from collector.app import create_app
from collector.config import config_of
from collector.log_port import Spooled
from collector.reload import Refused
from collector.vitals import Pulse
from schemas.limits import Limits
from tests.collector.client import KEYS, NOON, Client, MemoryLog
from worker import beats, connect
from worker.alarms import Alarm
from worker.embedded import Server

CONFIG = config_of('[sources.web]\nwrite_keys = ["dev"]', None, {})


class Told:
    """Vitals that say what the test wants."""

    def __init__(self, *alarms: Alarm) -> None:
        self._alarms = alarms

    def facts(self) -> Mapping[str, object]:
        return {"config": "c0ffee"}

    async def alarms(self) -> Sequence[Alarm]:
        return self._alarms


def client(log: MemoryLog, *alarms: Alarm) -> Client:
    return Client(
        create_app(KEYS, log, now=lambda: NOON, new_id=lambda: "n", limits=Limits(), vitals=Told(*alarms)),
    )


ALARM = Alarm(kind="out", what="hook", words="hook is out: answered 503", since=7.0)


def test_readiness_tells_the_version_of_the_configuration(log: MemoryLog) -> None:
    assert client(log).get("/health/ready").json() == {"status": "ready", "config": "c0ffee"}
    log.words = "the log is away"
    answered = client(log).get("/health/ready")
    assert (answered.status, answered.json()["config"]) == (503, "c0ffee")
    assert answered.json()["reasons"] == ["the log is away"]


def test_alarms_do_not_make_a_collector_unready(log: MemoryLog) -> None:
    assert client(log, ALARM).get("/health/ready").status == 200


def test_without_an_alarm_the_answer_is_200_and_an_empty_list(log: MemoryLog) -> None:
    answered = client(log).get("/health/alarms")
    assert (answered.status, answered.json()) == (200, {"alarms": []})


def test_with_an_alarm_the_answer_is_503_and_says_what_is_wrong(log: MemoryLog) -> None:
    answered = client(log, ALARM).get("/health/alarms")
    assert answered.status == 503
    assert answered.json() == {
        "alarms": [{"kind": "out", "what": "hook", "words": "hook is out: answered 503", "since": 7.0}]
    }


def test_messages_that_wait_on_this_machine_are_an_alarm_and_no_unreadiness(log: MemoryLog) -> None:
    log.kept_here = Spooled(messages=3, bytes=99, since=None, reason="the log is away")
    (alarm,) = client(log).get("/health/alarms").json()["alarms"]
    assert alarm["kind"] == "spool"
    assert alarm["words"] == "3 messages wait on the disk of this collector for the log: the log is away"
    answered = client(log).get("/health/ready")
    assert (answered.status, answered.json()["spool"]["messages"]) == (200, 3)


def test_a_collector_shows_that_it_lives_and_takes_leave(log_process: Server, log_client: redis.Redis) -> None:
    async def live() -> None:
        pulse = Pulse(connect.client(log_process.url, timeout=5.0), CONFIG)
        assert pulse.facts() == {"config": CONFIG.version, "workers": None}, "nobody has been asked yet"
        task = asyncio.create_task(pulse.keep_beating())
        while pulse.facts()["workers"] is None:  # noqa: ASYNC110  # nothing else tells
            await asyncio.sleep(0.01)
        (beat,) = beats.read(log_client)
        assert (beat.role, beat.config) == ("collector", CONFIG.version)
        task.cancel()
        await pulse.stop()

    asyncio.run(live())
    assert beats.read(log_client) == []


def test_a_refused_configuration_is_told_without_its_reasons(log_process: Server, log_client: redis.Redis) -> None:
    async def live() -> None:
        pulse = Pulse(connect.client(log_process.url, timeout=5.0), CONFIG)
        pulse.refuse(Refused(["turnout.toml [destinations.hook] url: must be a url", "two"]))
        note = pulse.facts()["configNote"]
        assert note == "a changed configuration was refused (2 reasons, see the log); the old one goes on"
        pulse.follow(CONFIG)
        assert "configNote" not in pulse.facts()
        await pulse.stop()

    asyncio.run(live())


def test_alarms_are_looked_for_once_however_many_ask(log_process: Server, log_client: redis.Redis) -> None:
    async def live() -> None:
        pulse = Pulse(connect.client(log_process.url, timeout=5.0), CONFIG)
        first, second = await asyncio.gather(pulse.alarms(), pulse.alarms())
        assert [alarm.kind for alarm in first] == ["workers"]
        assert first is second
        await pulse.stop()

    asyncio.run(live())


def test_a_log_that_does_not_answer_is_an_alarm_itself() -> None:
    async def live() -> None:
        pulse = Pulse(connect.client("unix:///nowhere/valkey.sock", timeout=0.5), CONFIG)
        (alarm,) = await pulse.alarms()
        assert alarm.kind == "log"
        await pulse.stop()

    asyncio.run(live())
