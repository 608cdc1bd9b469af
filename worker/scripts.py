"""The Lua scripts that change the log: one step each, in one partition each."""

import hashlib
from collections.abc import Sequence
from importlib.resources import files

import msgspec
import redis


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
CARRY = _load("carry")
COMMIT = _load("commit")
DETACH = _load("detach")
DISOWN = _load("disown")
DROP = _load("drop")
HOLD = _load("hold")
IDLE = _load("idle")
LANES = _load("lanes")
READ = _load("read")
REATTACH = _load("reattach")
REFUSE = _load("refuse")
RELEASE = _load("release")
RENEW = _load("renew")
RESEND = _load("resend")
ROUSE = _load("rouse")
SWEEP = _load("sweep")
TRIM = _load("trim")
