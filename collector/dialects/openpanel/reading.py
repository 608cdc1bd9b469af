"""Turn a request of OpenPanel's into messages, and into what its answer has to say. Pure.

OpenPanel's requests carry no id by which to know one that is sent again, and its SDK sends everything again that is
not answered by 200, 202 or 401. Such a request is rarely stored already, but it can be: an answer may be lost. Two
things can be told apart from a genuine repeat, and get ids that depend on what is in them, so that the log takes them
once: what carries its own time to the millisecond (`__timestamp`), and what a browser sends twice within the same
tenth of a second (OpenPanel drops that too). All else that is equal may be two clicks, and is kept.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from collector.dialects.dialect import Facts, Telling, Told
from collector.dialects.openpanel.meaning import MEANINGS, REPLAY, Asked, Said
from collector.dialects.openpanel.payload import Payload, members
from collector.dialects.openpanel.special import Special, special
from collector.dialects.openpanel.visitor import Visitor, address_in, device_of, is_app, session_of
from collector.errors import BadBody, BadRequest
from collector.request import Request
from schemas.dates import moment

SAME_MS = 100
PAST_MS = 900_000
"""What happened longer ago than this belongs to no session that runs now."""

_NOTHING = special({}, 0)


def telling(request: Request, text: bytes, facts: Facts, kind: str, payload: Payload) -> Telling:
    """The messages of one payload. Raises BadBody, or BadRequest for what the source does not want."""
    meaning = MEANINGS.get(kind)
    if meaning is None:
        raise BadBody("bad_request", f"`type`: expected one of {', '.join(MEANINGS)}")
    if kind == REPLAY and facts.policy.openpanel.replay == "refuse":
        raise BadRequest("replay_refused", "recordings of sessions are not taken here")
    said = special(members(payload, "properties"), facts.received_ms)
    sdk = request.header(b"openpanel-sdk-name")
    who = visitor(request, text, facts, said)
    messages = meaning(Asked(payload, said, who, sdk))
    base = _repeat(request, text, facts, who, said)
    return Telling(
        messages=[Told(0, msgspec.json.encode(each)) for each in _named(messages, base)],
        context=_context(request, who, said, facts.received_ms),
        reply=who,
    )


def visitor(request: Request, text: bytes, facts: Facts, said: Special = _NOTHING) -> Visitor:
    """Who it is that speaks, by what the request says of it."""
    stated = said.address or address_in(request.header(b"openpanel-client-ip"))
    address, agent = stated or facts.address, request.header(b"user-agent")
    if said.device:
        device = said.device
    elif address or agent:
        device = device_of(facts.salt(facts.received_ms), facts.source, address, agent)
    else:
        # What comes out of the quarantine has lost its sender: each is somebody else.
        device = device_of(b"", facts.source, "", text.decode("utf-8", "replace"))
    return Visitor(
        device=device,
        session=session_of(device, facts.received_ms),
        address=address,
        agent=agent,
        alone=bool(said.device or stated or _is_near(request)),
    )


def _is_near(request: Request) -> bool:
    """Whether the request comes from the visitor's own machine, or through a proxy that says so."""
    headers = request.headers
    return b"origin" in headers or b"openpanel-client-ip" in headers or is_app(request.header(b"openpanel-sdk-name"))


def _context(request: Request, who: Visitor, said: Special, received_ms: int) -> Mapping[str, Any]:
    """What holds for all messages of the request. A server's own address and name are none of its users'."""
    near, happened = _is_near(request), moment(said.timestamp)
    now = happened is None or happened.ms > received_ms - PAST_MS
    library = {
        "name": request.header(b"openpanel-sdk-name"),
        "version": request.header(b"openpanel-sdk-version"),
    }
    found: dict[str, Any] = {
        "library": {name: value for name, value in library.items() if value},
        "userAgent": who.agent if near else "",
        "ip": who.address if near else said.address,
        "sessionId": who.session if who.alone and now else "",
    }
    return {name: value for name, value in found.items() if value}


def _repeat(request: Request, text: bytes, facts: Facts, who: Visitor, said: Special) -> str | None:
    """What the ids of the messages begin with, the same when the same comes again; None where that cannot be known."""
    origin = request.headers.get(b"origin")
    if said.timestamp is not None:
        known = who.device
    elif origin is not None:
        known = f"{facts.received_ms // SAME_MS} {who.device} {origin!r}"
    else:
        return None
    return hashlib.blake2b(f"{facts.source}\0{known}\0".encode() + text, digest_size=16).hexdigest()


def _named(messages: list[Said], base: str | None) -> list[Said]:
    if base is None:
        return messages
    return [{**each, "messageId": f"op-{base}-{index}"} for index, each in enumerate(messages)]
