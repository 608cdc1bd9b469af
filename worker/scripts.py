"""The Lua scripts that change the log: one step each, in one partition each."""

import hashlib
from importlib.resources import files

import msgspec


class Script(msgspec.Struct, frozen=True):
    """A script's text and the SHA-1 by which the server knows it once loaded."""

    name: str
    text: str
    sha: str


def _load(name: str) -> Script:
    text = files("worker").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


ACQUIRE = _load("acquire")
APPEND = _load("append")
ATTACH = _load("attach")
CARRY = _load("carry")
COMMIT = _load("commit")
DETACH = _load("detach")
DISOWN = _load("disown")
DROP = _load("drop")
IDLE = _load("idle")
READ = _load("read")
REATTACH = _load("reattach")
REFUSE = _load("refuse")
RELEASE = _load("release")
RENEW = _load("renew")
ROUSE = _load("rouse")
SWEEP = _load("sweep")
TRIM = _load("trim")
