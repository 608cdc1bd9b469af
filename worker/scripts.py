"""The Lua scripts that change the log: one step each, in one partition each."""

import hashlib
from collections.abc import Sequence
from importlib.resources import files

import msgspec
import redis

CALLS_A_TRIP = 200


class Script(msgspec.Struct, frozen=True):
    """A script's text and the SHA-1 by which the server knows it once loaded."""

    name: str
    text: str
    sha: str


def _load(name: str) -> Script:
    text = files("worker").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


def run(client: "redis.Redis", script: Script, names: Sequence[str], arguments: Sequence[str | bytes | int]) -> object:
    """What the script answers; the server is told its text only where it does not know it."""
    try:
        return client.evalsha(script.sha, len(names), *names, *arguments)
    except redis.exceptions.NoScriptError:
        return client.eval(script.text, len(names), *names, *arguments)


ACQUIRE = _load("acquire")
APPEND = _load("append")
ATTACH = _load("attach")
CANARY = _load("canary")
CARRY = _load("carry")
COMMIT = _load("commit")
COPY = _load("copy")
DETACH = _load("detach")
DISOWN = _load("disown")
DROP = _load("drop")
EXCHANGE = _load("exchange")
FAIL = _load("fail")
HOLD = _load("hold")
IDLE = _load("idle")
INSTEAD = _load("instead")
LANES = _load("lanes")
PROBE = _load("probe")
READ = _load("read")
REATTACH = _load("reattach")
REFUSE = _load("refuse")
RELEASE = _load("release")
RENEW = _load("renew")
RESEND = _load("resend")
ROUSE = _load("rouse")
SUCCEED = _load("succeed")
SWEEP = _load("sweep")
TOLL = _load("toll")
TRIM = _load("trim")


class Call(msgspec.Struct, frozen=True):
    """A script with what it is to work on."""

    script: Script
    names: Sequence[str]
    arguments: Sequence[str | bytes | int] = ()


def run_all(client: "redis.Redis", calls: Sequence[Call]) -> list[object]:
    """Run many in a few round trips. Each must bear being run twice: when the server forgot them, all are repeated."""
    answers: list[object] = []
    for start in range(0, len(calls), CALLS_A_TRIP):
        some = calls[start : start + CALLS_A_TRIP]
        try:
            answers += _trip(client, some)
        except redis.exceptions.NoScriptError:
            for text in {call.script.text for call in some}:
                client.script_load(text)
            answers += _trip(client, some)
    return answers


def _trip(client: "redis.Redis", calls: Sequence[Call]) -> list[object]:
    pipe = client.pipeline(transaction=False)
    for call in calls:
        pipe.evalsha(call.script.sha, len(call.names), *call.names, *call.arguments)
    return list(pipe.execute())
