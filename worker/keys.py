"""Every key that Turnout writes to the log server, with its type and meaning.

All keys of a partition share a hash tag, so each script touches one slot of a cluster.
"""

import hashlib
import zlib
from functools import lru_cache

CONSUMER = "c"
"""The one consumer name of every group: whoever holds the lease re-reads what the last owner left, at once."""

SETTINGS = "turnout:settings"
"""hash: what must never change under a log that holds messages (`partitions`)"""


def partition_of(source: str, user: str, partitions: int) -> int:
    """The partition that keeps this user's messages in order."""
    return zlib.crc32(f"{source}\0{user}".encode()) % partitions


def digest_of(source: str, message_id: str) -> bytes:
    """The 16 bytes by which the dedupe window remembers a message, however long its id is."""
    digest = _begun(source).copy()
    digest.update(message_id.encode())
    return digest.digest()


@lru_cache(maxsize=1024)
def _begun(source: str) -> hashlib.blake2b:
    """The digest so far after what all messages of the source begin with. To go on from a copy is half the work."""
    return hashlib.blake2b(f"{source}\0".encode(), digest_size=16)


def lane(partition: int) -> str:
    return f"p{partition:02d}"


def tag(partition: int) -> str:
    return f"{{p{partition:02d}}}"


def log(partition: int, source: str) -> str:
    """stream: entries of `n` messages in `m`, one JSON object a line; if they come from another line, that is in `l`
    and their positions there in `o`; and canaries: `n` 0, sent at `c` (ms). One group per destination, and `hook~pin`
    for one that has nearly caught up"""
    return f"{tag(partition)}:log:{source}"


def seen_new(partition: int) -> str:
    """set: digests of the messages met since the last rotation"""
    return f"{tag(partition)}:seen:new"


def seen_old(partition: int) -> str:
    """set: digests of the messages met between the last rotation and the one before"""
    return f"{tag(partition)}:seen:old"


def seen_since(partition: int) -> str:
    """hash: when (ms) the sets `new` and `old` were begun; `full` 1 if the last rotation came early"""
    return f"{tag(partition)}:seen:since"


def count(partition: int, source: str) -> str:
    """hash: received, duplicates, refused; and delivered, filtered, dead, base, since (ms), each with `:destination`"""
    return f"{tag(partition)}:count:{source}"


def ready(partition: int, destination: str) -> str:
    """zset: source -> since when (ms) it has something for this destination"""
    return f"{tag(partition)}:ready:{destination}"


def armed(partition: int, destination: str) -> str:
    """string: when (ms) a nudge for live messages was last sent and not yet taken up"""
    return f"{tag(partition)}:armed:{destination}"


def later(partition: int, destination: str) -> str:
    """string: when (ms) a nudge for anything else was last sent and not yet taken up"""
    return f"{tag(partition)}:later:{destination}"


def lease(partition: int, destination: str) -> str:
    """string: `token:owner` of the one drain at work"""
    return f"{tag(partition)}:lease:{destination}"


def fence(partition: int, destination: str) -> str:
    """string: the last token given out"""
    return f"{tag(partition)}:fence:{destination}"


def aside(partition: int, destination: str) -> str:
    """zset: lane -> when (ms) its first message is due again; the retry lanes of this destination"""
    return f"{tag(partition)}:aside:{destination}"


def lane_of(partition: int, destination: str, lane: str) -> str:
    """list: messages (`worker.parcel.Put`) in the order in which they go out, the first one next"""
    return f"{tag(partition)}:lane:{destination}:{lane}"


def apart(partition: int, destination: str) -> str:
    """string: how many messages all lanes of this destination hold"""
    return f"{tag(partition)}:apart:{destination}"


def row(partition: int, destination: str) -> str:
    """string: how many messages failed in a row, without a success in between"""
    return f"{tag(partition)}:row:{destination}"


def hand(partition: int, destination: str) -> str:
    """hash: line (`~`: the lanes) -> reads since a commit; `at:line`, `times:line`: a message alone, its trials"""
    return f"{tag(partition)}:hand:{destination}"


def left(partition: int, source: str, destination: str) -> str:
    """hash: entry id -> numbers of its messages that are not finished; absent: all of them"""
    return f"{tag(partition)}:left:{source}:{destination}"


def dead(partition: int, destination: str) -> str:
    """stream: dead letters"""
    return f"{tag(partition)}:dead:{destination}"


def refused(partition: int, source: str) -> str:
    """stream: what clients sent and was refused, with its violations"""
    return f"{tag(partition)}:refused:{source}"


def resent(partition: int) -> str:
    """zset: `id:retry` of each dead letter that was sent again -> when (ms)"""
    return f"{tag(partition)}:resent"


def lines(partition: int) -> str:
    """set: names of the lines beside the live ones that have a stream here (`worker.lines`)"""
    return f"{tag(partition)}:lines"


def cursor(partition: int, line: str) -> str:
    """hash: `at`, the cursor of the last message that was carried to this line"""
    return f"{tag(partition)}:cursor:{line}"


def story(partition: int) -> str:
    """stream: passages (`worker.story`) in `s`, until the clerk has moved them to the database"""
    return f"{tag(partition)}:story"


def detached(partition: int, destination: str) -> str:
    """hash: source -> where a destination without a group stood (`worker.catchup.stand`)"""
    return f"{tag(partition)}:detached:{destination}"


def forgotten(partition: int) -> str:
    """string: which state of FORGOTTEN holds for what is delivered from here; absent: nobody was ever forgotten"""
    return f"{tag(partition)}:forgotten"


def copy(partition: int, name: str, run: str) -> str:
    """stream: one that is written anew without what is forgotten, until it takes the place of the old one"""
    return f"{tag(partition)}:copy:{run}:{name}"


def turns(partition: int, name: str) -> str:
    """string: how often a stream was written anew lately"""
    return f"{tag(partition)}:turns:{name}"


def out(destination: str) -> str:
    """hash: until, told, since, probing (all ms), attempts, reason, scope, settings; only while it is out"""
    return f"turnout:out:{destination}"


def toll(destination: str) -> str:
    """hash: `minute:dead` and `minute:others` -> how many messages ended so in that minute"""
    return f"turnout:toll:{destination}"


def salt(day: str) -> str:
    """string: 16 random bytes, of which that day's ids of devices are made; gone soon after that day"""
    return f"turnout:salt:{day}"


FORGOTTEN = "{forgotten}:ids"
"""hash: digest of an id -> until when (`receivedAt`) what its owner sent is forgotten; "" for ever"""

FORGOTTEN_KEY = "{forgotten}:key"
"""string: the secret of these digests"""

FORGOTTEN_STATE = "{forgotten}:state"
"""string: a number that rises with each change of FORGOTTEN"""

SUPPRESSED = "turnout:suppressed"
"""hash: source -> how many messages were dropped at the door because their user is suppressed"""

CLERK = "turnout:clerk"
"""string: the name of the one clerk that is on duty"""

BEATS = "turnout:beats"
"""hash: name of a process -> JSON of when it last gave a sign of life, and what it is"""


def canary(destination: str) -> str:
    """hash: source -> when (ms) the last canary that arrived had been sent; `sent:source` -> the last one sent;
    `owed:source` -> the first one sent after a moment at which all had arrived"""
    return f"turnout:canary:{destination}"
