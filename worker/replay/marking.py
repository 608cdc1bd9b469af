"""Mark a stored message as part of a replay, so that whoever gets it can tell. Pure."""

from typing import Any

import msgspec

_raw_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_any = msgspec.json.Decoder().decode


def marked(body: bytes, replay: str) -> bytes:
    """The same message with `_turnout.replay`; what it says beside that stays as it was written."""
    mark = msgspec.json.encode({"replay": replay})
    if b'"_turnout"' not in body:
        return b'%s,"_turnout":%s}' % (body[:-1], mark)
    members: dict[str, Any] = dict(_raw_members(body))
    notes = _any(members["_turnout"]) if "_turnout" in members else {}
    members["_turnout"] = {**(notes if isinstance(notes, dict) else {}), "replay": replay}
    return msgspec.json.encode(members)
