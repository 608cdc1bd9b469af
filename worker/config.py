"""The settings of the log, of RQ and of delivery, as typed values."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from destinations.errors import Unfit
from destinations.settings import Duration, Size
from destinations.sql.url import DatabaseUrl
from worker.retry import RetryPolicy

FILE = Path("turnout.toml")
"""The configuration that is read, if it is there, when nobody names another file."""

ARCHIVE = "archive"
"""The destination that every source has, unless it says otherwise."""

PROFILES = "profiles"
"""The type, and as a rule the name, of the destination that keeps users and groups; every source has it as well."""

SCHEMES = ("redis", "rediss", "unix")

Length = Annotated[Duration, Meta(gt=0)]
Share = Annotated[float, Meta(gt=0, le=1)]
Durability = Literal["fsync", "everysec", "replica"]
Order = Literal["user", "none"]


class ServerUrl(str):
    """Where a Redis or Valkey server listens. Shows itself without its password."""

    __slots__ = ()
    expected: ClassVar[str] = '"embedded", or a url such as "redis://host:6379/0" or "unix:///path/to/socket"'

    @classmethod
    def read(cls, value: object) -> Self:
        if isinstance(value, str) and (value == EMBEDDED or _points_somewhere(value)):
            return cls(value)
        raise Unfit(f"must be {cls.expected}")

    @property
    def embedded(self) -> bool:
        return self == EMBEDDED

    @property
    def server(self) -> str:
        """Host and port, or the socket: the same for two databases of one server."""
        parts = urlsplit(self)
        return parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or 6379}"

    def __repr__(self) -> str:
        # A password may stand before the host, or in the query.
        place, asked, _ = self.partition("?")
        before, found, after = place.rpartition("@")
        shown = f"{before.partition('://')[0]}://***@{after}" if found else place
        return f"{shown}?***" if asked else shown


EMBEDDED = ServerUrl("embedded")
"""The url of a server that `turnout up` starts itself."""


def _points_somewhere(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in SCHEMES and bool(
            parts.path if parts.scheme == "unix" else parts.hostname and parts.port != 0
        )
    except ValueError:
        return False


class LogSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    url: ServerUrl = EMBEDDED
    durability: Durability = "fsync"
    partitions: Annotated[int, Meta(ge=1, le=256)] = 8
    dedupe_window: Length = Duration(86_400)
    dedupe_ids: Annotated[int, Meta(ge=1_000)] = 10_000_000
    timeout: Length = Duration(2)
    memory: Size = Size(2 << 30)
    """What the embedded server may use; 0 for no limit. Another server has its own `maxmemory`."""
    detach_at: Share = 0.6
    """The share of the server's memory from which a destination that is out no longer holds messages in the log."""

    def __post_init__(self) -> None:
        if self.url.embedded and self.durability == "replica":
            raise ValueError('durability = "replica" needs a log server that has replicas: set url, or choose "fsync"')


class RqSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    url: ServerUrl = EMBEDDED


class Backoff(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    first: Length = Duration(1)
    factor: Annotated[float, Meta(ge=1)] = 2.0
    longest: Length = Duration(600)
    horizon: Length = Duration(86_400)
    attempts: Annotated[int, Meta(ge=1)] = 8
    """How often a message is tried at which the adapter itself fails."""

    def policy(self) -> RetryPolicy:
        return RetryPolicy(
            first=self.first,
            factor=self.factor,
            longest=self.longest,
            horizon=self.horizon,
            attempts=self.attempts,
        )


class DatabaseSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where dead letters, the quarantine, stories and replays are kept."""

    url: DatabaseUrl = DatabaseUrl("embedded")


class StorySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long what became of each message is remembered."""

    failures: Length = Duration(30 * 86_400)
    deliveries: Length = Duration(7 * 86_400)
    most_bytes: Size = Size(1 << 30)
    """Of all stories together; the oldest deliveries go first."""


class AlarmSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When `turnout status` and /health/alarms call for somebody."""

    oldest: Length = Duration(300)
    """A message that waits for longer."""
    silence: Length = Duration(30)
    """A worker that gave no sign of life for longer."""
    canary: Length = Duration(60)
    """How often a canary is sent to each destination of each source."""


class WorkerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    processes: Annotated[int, Meta(ge=1, le=256)] = 2
    lease: Annotated[Duration, Meta(ge=3)] = Duration(10)
    budget: Length = Duration(2)
    sweep: Length = Duration(0.25)
    backoff: Backoff = Backoff()
    aside: Annotated[int, Meta(ge=1)] = 10_000
    """How many messages one destination may have put aside in one partition, before it counts as out."""

    def __post_init__(self) -> None:
        if self.budget >= self.lease:
            raise ValueError("budget must be shorter than lease")


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where messages come from, and the destinations that should have them: only those switched on."""

    destinations: tuple[str, ...] = ()


class DestinationTable(msgspec.Struct, frozen=True, kw_only=True):
    """A destination as the configuration describes it; `settings` are for its adapter to read.

    `pause_after`: so many deaths within ten minutes, more than all other messages then, pause the destination.
    """

    type: str
    settings: dict[str, Any] = {}
    enabled: bool = True
    place: str = "the configuration"
    order: Order = "user"
    retry: Backoff | None = None
    pause_after: int = 1_000

    def __repr__(self) -> str:
        # The settings of an adapter hold its secrets in the clear.
        return f"DestinationTable(type={self.type!r}, enabled={self.enabled}, place={self.place!r})"


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker needs to know."""

    path: str | None = None
    version: str = "built-in"
    data: Path = Path("data")
    log: LogSettings = LogSettings()
    rq: RqSettings = RqSettings()
    worker: WorkerSettings = WorkerSettings()
    database: DatabaseSettings = DatabaseSettings()
    story: StorySettings = StorySettings()
    alarms: AlarmSettings = AlarmSettings()
    sources: dict[str, Source] = {}
    destinations: dict[str, DestinationTable] = {}

    def routes(self) -> dict[str, tuple[str, ...]]:
        """The destinations of each source."""
        return {name: source.destinations for name, source in self.sources.items()}

    def wanted(self) -> list[str]:
        """The destinations that some source asks for, by name."""
        return sorted({name for names in self.routes().values() for name in names})

    def profiles(self) -> DatabaseUrl | None:
        """Where users and groups are kept; None where no destination keeps them."""
        found = {name: one for name, one in self.destinations.items() if one.type == PROFILES and one.enabled}
        table = found.get(PROFILES) or next(iter(found.values()), None)
        return DatabaseUrl(table.settings["url"]) if table else None

    def policy(self, destination: str) -> RetryPolicy:
        """When to try again at this destination: its own words, else those of all."""
        return (self.destinations[destination].retry or self.worker.backoff).policy()

    def at(self, *, log: str, rq: str) -> Self:
        """The same with the servers found to be at these urls."""
        return msgspec.structs.replace(
            self,
            log=msgspec.structs.replace(self.log, url=ServerUrl(log)),
            rq=msgspec.structs.replace(self.rq, url=ServerUrl(rq)),
        )
