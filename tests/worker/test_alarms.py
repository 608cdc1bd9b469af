"""What calls for somebody, and what does not."""

import os
import socket
import subprocess
import sys

import pytest
import redis

from destinations.settings import Duration
from tests.worker.rig import Line, config
from worker import alarms, beats, keys
from worker.alarms import Alarm, Kind, Out, Seen, judged
from worker.beats import Beat
from worker.canary import CanaryAge
from worker.config import AlarmSettings

SETTINGS = AlarmSettings(oldest=Duration(300), silence=Duration(30), canary=Duration(60))


def beat(age: float = 1.0, *, role: str = "worker", note: str = "", host: str = "there", pid: int = 7) -> Beat:
    return Beat(role=role, host=host, pid=pid, at_ms=1, version="1", config="c", note=note, name=f"{role}-1", age=age)


def age(seconds: float, *, sent: float = 1.0) -> CanaryAge:
    return CanaryAge(source="web", destination="hook", age_s=seconds, sent_s=sent)


def out(scope: str = "destination") -> Out:
    return Out(reason="answered 503", scope=scope, since_s=90, until_s=12)


def kinds(seen: Seen) -> list[Kind]:
    return [alarm.kind for alarm in judged(seen, SETTINGS)]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(Seen(beats=[beat()]), [], id="a worker is alive"),
        pytest.param(Seen(), ["workers"], id="there is no worker"),
        pytest.param(Seen(beats=[beat(role="collector")]), ["workers"], id="a collector is no worker"),
        pytest.param(Seen(beats=[beat(30)]), [], id="silent, but not for too long"),
        pytest.param(Seen(beats=[beat(), beat(31)]), ["silent"], id="one of two workers is silent"),
        pytest.param(Seen(beats=[beat(31)]), ["workers", "silent"], id="the only worker is silent"),
        pytest.param(Seen(beats=[beat(), beat(role="collector", note="refused")]), ["config"], id="a refused file"),
        pytest.param(Seen(beats=[beat()], waits={("web", "hook"): 300.0}), [], id="an old message"),
        pytest.param(Seen(beats=[beat()], waits={("web", "hook"): 301.0}), ["oldest"], id="one too old"),
        pytest.param(Seen(beats=[beat()], canaries=[age(130)]), [], id="a canary on its way"),
        pytest.param(Seen(beats=[beat()], canaries=[age(131)]), ["canary"], id="a canary that does not arrive"),
        pytest.param(
            Seen(beats=[beat()], canaries=[age(131)], out={"hook": out()}), ["out"], id="none can while it is out"
        ),
        pytest.param(Seen(beats=[beat()], canaries=[age(0, sent=131)]), ["canary"], id="nobody sends canaries"),
    ],
)
def test_what_calls_for_somebody(seen: Seen, expected: list[Kind]) -> None:
    assert kinds(seen) == expected


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ("destination", "hook is out: answered 503; tried again in 12 s"),
        ("operator", "hook is paused (operator): answered 503; `turnout resume hook` goes on"),
    ],
)
def test_a_destination_that_gets_nothing_is_told_with_its_reason(scope: str, words: str) -> None:
    (alarm,) = judged(Seen(beats=[beat()], out={"hook": out(scope)}), SETTINGS)
    assert alarm == Alarm(kind="out", what="hook", words=words, since=90)


def test_a_process_of_this_machine_that_is_gone_is_not_silent_and_a_frozen_one_is() -> None:
    here = socket.gethostname()
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    gone, frozen = beat(100, host=here, pid=ended.pid), beat(100, host=here, pid=os.getpid())
    assert alarms.present([gone, frozen]) == [frozen]


def test_a_process_of_another_machine_is_missed_for_an_hour() -> None:
    assert alarms.present([beat(3_599), beat(3_601)]) == [beat(3_599)]


def test_a_log_that_is_as_it_should_be_raises_no_alarm(line: Line) -> None:
    line.post("a")
    beats.give(line.client, "w1", beats.sign("worker", "c"))
    assert alarms.alarms(line.client, config("hook")) == []


def test_everything_is_found_in_the_log(log_client: redis.Redis) -> None:
    log_client.xadd(keys.log(0, "web"), {"n": 1, "m": b"{}"}, id="1-0")
    log_client.xgroup_create(keys.log(0, "web"), "hook", "0")
    log_client.hset(keys.canary("hook"), mapping={"sent:web": 1, "owed:web": 1})
    log_client.hset(keys.out("archive"), mapping={"until": 1, "reason": "full", "scope": "settings", "since": 1})
    found = alarms.alarms(log_client, config("hook", "archive"))
    assert [alarm.kind for alarm in found] == ["workers", "out", "oldest", "canary", "canary"]
