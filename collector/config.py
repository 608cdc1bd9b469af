"""Reads `turnout.toml` as a whole: typed settings, or every mistake with its place."""

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from collector.api.settings import ApiSettings, token_mistakes
from collector.connections import Connections
from collector.document import document_of
from collector.oauth.settings import OAuthServer, OAuthTable, server_mistakes, source_mistakes, terms_of
from collector.policy import Browser, IpPolicy, OpenPanel, Policy, Rate, origin_mistake
from collector.tls import Tls
from collector.visitor import Proxies, networks
from destinations import registry
from destinations.errors import Problem, SettingsError
from destinations.settings import Duration, Secret, Size, inside, read_table
from destinations.sql.url import DatabaseUrl
from schemas.limits import Limits
from worker import config as delivery
from worker.config import (
    ARCHIVE,
    EMBEDDED,
    FILE,
    PROFILES,
    AlarmSettings,
    Backoff,
    DatabaseSettings,
    DestinationTable,
    Length,
    LogSettings,
    Order,
    RqSettings,
    Source,
    StorySettings,
    WorkerSettings,
)

BUILT_IN = """
[sources.web]
write_keys = ["dev"]

[destinations.console]
type = "console"
"""
"""What holds without a file: a newcomer sees each message in the terminal, and finds it again in the archive."""

STORES = (PROFILES, ARCHIVE)
"""The destinations that every source has, unless it says otherwise; each is called as its type."""

BUILT_IN_NAME = "built-in configuration"

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
# What travels unharmed in a header. Only colons would be no key: they end the user name of Basic authentication.
_PUBLIC_URL = re.compile(r"https?://[A-Za-z0-9._~:/\[\]%-]+(?<!/v1)(?<!/v1/)")
_KEY = re.compile(r"(?!:+$)[!-~]{1,200}")


Kind = Literal["identify", "group", "track", "page", "screen", "alias"]


class CollectorSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65_535)] = 8080
    backlog: Annotated[int, Meta(ge=1)] = 2_048
    tls: Tls | None = None
    """None for plain HTTP."""
    limits: Limits = Limits()
    connections: Connections = Connections()
    spool: Size = Size(1 << 30)
    """What may be kept on this machine while the log is away; 0 for nothing."""
    oauth: OAuthServer | None = None
    trusted_proxies: list[str] = []
    """The addresses and networks whose X-Forwarded headers are believed."""
    groups_wait: Length = Duration(0.2)
    """How long messages wait for the groups of their users, where sources ask for them."""
    public_url: str | None = None
    """Where browsers and apps reach this collector, when their requests do not tell."""


class SourceTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    write_keys: Annotated[list[Secret], Meta(min_length=1)]
    destinations: list[str] | None = None
    archive: bool = True
    profiles: bool = True
    origins: list[Annotated[str, Meta(min_length=1)]] | None = None
    types: Annotated[list[Kind], Meta(min_length=1)] | None = None
    ip: IpPolicy = "keep"
    rate: Rate | None = None
    browser: Browser = Browser()
    openpanel: OpenPanel = OpenPanel()
    attach_groups: bool = False
    oauth: OAuthTable | None = None

    def policy(self, server: OAuthServer | None) -> Policy:
        return Policy(
            origins=None if self.origins is None else tuple(self.origins),
            types=None if self.types is None else frozenset(self.types),
            ip=self.ip,
            rate=self.rate,
            browser=self.browser,
            openpanel=self.openpanel,
            attach_groups=self.attach_groups,
            oauth=None if self.oauth is None or server is None else terms_of(self.oauth, server),
        )


class DestinationHead(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings that every destination has, whatever its type."""

    type: str
    enabled: bool = True
    order: Order = "user"
    retry: Backoff | None = None
    pause_after: Annotated[int, Meta(ge=1)] = 1_000


class File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of turnout.toml; sources and destinations are read one by one."""

    data: str = "data"
    collector: CollectorSettings = CollectorSettings()
    log: LogSettings = LogSettings()
    rq: RqSettings = RqSettings()
    worker: WorkerSettings = WorkerSettings()
    database: DatabaseSettings = DatabaseSettings()
    story: StorySettings = StorySettings()
    alarms: AlarmSettings = AlarmSettings()
    api: ApiSettings = ApiSettings()
    sources: dict[str, dict[str, Any]] = {}
    destinations: dict[str, dict[str, Any]] = {}


class Config(delivery.Config, frozen=True, kw_only=True):
    """What a worker needs to know, and what the HTTP side does beyond that."""

    collector: CollectorSettings = CollectorSettings()
    api: ApiSettings = ApiSettings()
    write_keys: dict[str, tuple[Secret, ...]] = msgspec.field(default_factory=dict)
    """The keys of each source."""
    policies: dict[str, Policy] = msgspec.field(default_factory=dict)
    """What each source asks of those who post to it."""

    def revealed_keys(self) -> dict[str, tuple[str, ...]]:
        """The keys of each source in the clear."""
        return {source: tuple(key.reveal() for key in keys) for source, keys in self.write_keys.items()}

    def trusted(self) -> Proxies:
        return networks(self.collector.trusted_proxies)

    def for_workers(self) -> delivery.Config:
        """The same without write keys: a worker has no use for them."""
        shared = msgspec.structs.fields(delivery.Config)
        return delivery.Config(**{field.name: getattr(self, field.name) for field in shared})


def load(path: Path | None, environment: Mapping[str, str], *, data: Path | None = None) -> Config:
    """The configuration in `path`, else in ./turnout.toml, else the built-in one. Raises SettingsError."""
    if path is None and not FILE.exists():
        return config_of(BUILT_IN, None, {}, data=data)
    file = path or FILE
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError([Problem(str(file), f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise SettingsError([Problem(str(file), "is not UTF-8 text")]) from error
    return config_of(text, str(file), environment, data=data)


def config_of(text: str, path: str | None, environment: Mapping[str, str], *, data: Path | None = None) -> Config:
    """The configuration in this text; `data` goes before what the text says. Raises SettingsError."""
    place = path or BUILT_IN_NAME
    document = document_of(text, place, environment)
    file, problems = read_table(File, document.tables, place)
    directory = (data or Path(str(document.tables.get("data", "data")))).expanduser()
    reader = _Reader(place)
    places = _places(directory, file.database.url if file else DatabaseUrl("embedded"))
    destinations = reader.destinations(_tables(document.tables, "destinations"), places)
    sources = reader.sources(_tables(document.tables, "sources"), destinations)
    if file is not None:
        reader.servers(file)
        reader.proxies(file.collector)
        reader.public_url(file.collector.public_url)
        reader.oauth(file.collector.oauth, sources)
        reader.tokens(file.api, sources)
    found = [*problems, *reader.problems]
    if file is None or found or document.problems:
        raise SettingsError(_without_echoes(document.problems, found))
    return Config(
        path=path,
        version=hashlib.sha256(text.encode()).hexdigest()[:12],
        data=directory,
        log=file.log,
        rq=file.rq,
        worker=file.worker,
        database=file.database,
        story=file.story,
        alarms=file.alarms,
        collector=file.collector,
        api=file.api,
        destinations=destinations,
        sources={name: Source(destinations=_resolved(table, destinations)) for name, table in sources.items()},
        write_keys={name: tuple(table.write_keys) for name, table in sources.items()},
        policies={name: table.policy(file.collector.oauth) for name, table in sources.items()},
    )


def _places(data: Path, database: DatabaseUrl) -> dict[str, dict[str, str]]:
    """Where destinations of some types keep what they are given, unless their tables say so."""
    profiles = DatabaseUrl.of_file(data / "profiles.db") if database.embedded else database
    return {ARCHIVE: {"dir": str(data / "archive")}, PROFILES: {"url": str(profiles)}}


def _placed(table: Mapping[str, Any], place: Mapping[str, str]) -> dict[str, Any]:
    """The table with the place that holds for its type where it names none of its own."""
    own = {name: value for name, value in table.items() if name not in place or value != EMBEDDED}
    return {**place, **own}


def _tables(tables: Mapping[str, Any], key: str) -> dict[str, dict[str, Any]]:
    """Those entries of a table that are tables themselves; the others are reported where File is read."""
    table = tables.get(key)
    return {name: one for name, one in table.items() if isinstance(one, dict)} if isinstance(table, dict) else {}


def _texts(table: Mapping[str, Any], key: str) -> dict[int, str]:
    """Those items of a list that are text, by their place in it; the others are reported where the table is read."""
    items = table.get(key)
    return (
        {index: item for index, item in enumerate(items) if item and isinstance(item, str)}
        if isinstance(items, list)
        else {}
    )


def _without_echoes(first: Sequence[Problem], then: Sequence[Problem]) -> list[Problem]:
    """A value that could not be filled in is often not valid either: told once."""
    places = {problem.place for problem in first}
    return [*first, *(problem for problem in then if problem.place not in places)]


def _resolved(table: SourceTable, destinations: Mapping[str, DestinationTable]) -> tuple[str, ...]:
    """The destinations of a source, by name: those it lists, else all; the stores last; only those switched on."""
    named = destinations if table.destinations is None else dict.fromkeys(table.destinations)
    names = [name for name in named if name not in STORES] + _stores(table)
    return tuple(name for name in names if destinations[name].enabled)


def _stores(table: SourceTable) -> list[str]:
    """Those that it has without naming them."""
    return [PROFILES] * table.profiles + [ARCHIVE] * table.archive


class _Reader:
    """Reads sources and destinations, and gathers what is wrong with them."""

    def __init__(self, place: str) -> None:
        self._place = place
        self.problems: list[Problem] = []

    def servers(self, file: File) -> None:
        if not file.log.url.embedded and file.log.url.server == file.rq.url.server:
            words = "is the log's server: RQ needs another, for a log that is full could not be emptied"
            self._found(f"{inside(self._place, 'rq')} url", words)

    def proxies(self, collector: CollectorSettings) -> None:
        for index, word in enumerate(collector.trusted_proxies):
            try:
                networks([word])
            except ValueError as error:
                words = f'must be an address or a network such as "10.0.0.0/8" ({error})'
                self._found(f"{inside(self._place, 'collector')} trusted_proxies[{index}]", words)

    def public_url(self, url: str | None) -> None:
        if url is not None and not _PUBLIC_URL.fullmatch(url):
            words = 'must be an address such as "https://events.example.com", without /v1 at its end'
            self._found(f"{inside(self._place, 'collector')} public_url", words)

    def oauth(self, server: OAuthServer | None, sources: Mapping[str, SourceTable]) -> None:
        place = inside(inside(self._place, "collector"), "oauth")
        for name, words in server_mistakes(server) if server else ():
            self._found(f"{place} {name}", words)
        tables = {name: source.oauth for name, source in sources.items() if source.oauth is not None}
        for source, table in tables.items():
            place = inside(inside(inside(self._place, "sources"), source), "oauth")
            for name, words in source_mistakes(table, server):
                self._found(f"{place} {name}".rstrip(), words)

    def tokens(self, api: ApiSettings, sources: Mapping[str, SourceTable]) -> None:
        keys = {key.reveal() for source in sources.values() for key in source.write_keys}
        for name, words in token_mistakes(api, keys):
            self._found(f"{inside(self._place, 'api')} {name}", words)

    def destinations(
        self, tables: Mapping[str, dict[str, Any]], places: Mapping[str, dict[str, str]]
    ) -> dict[str, DestinationTable]:
        """All of them by name, also those with mistakes: a source that names one is right to."""
        place = inside(self._place, "destinations")
        complete = {**tables, **{name: {"type": name, **tables.get(name, {})} for name in STORES}}
        complete = {name: _placed(table, places.get(str(table.get("type")), {})) for name, table in complete.items()}
        return {name: self._destination(table, inside(place, name), name) for name, table in complete.items()}

    def _destination(self, table: Mapping[str, Any], place: str, name: str) -> DestinationTable:
        self._check_name(name, place)
        shared = msgspec.structs.fields(DestinationHead)
        head, problems = read_table(
            DestinationHead, {field.name: table[field.name] for field in shared if field.name in table}, place
        )
        self.problems += problems
        settings = {key: value for key, value in table.items() if key not in {field.name for field in shared}}
        if head is None:
            return DestinationTable(type="", settings=settings, place=place)
        try:
            registry.make(name, head.type, settings, place=place).close()
        except SettingsError as error:
            self.problems += error.problems
        return DestinationTable(
            type=head.type,
            settings=settings,
            enabled=head.enabled,
            place=place,
            order=head.order,
            retry=head.retry,
            pause_after=head.pause_after,
        )

    def sources(
        self, tables: Mapping[str, dict[str, Any]], destinations: Mapping[str, DestinationTable]
    ) -> dict[str, SourceTable]:
        place = inside(self._place, "sources")
        if not tables:
            self._found(place, "there is no source: add a table such as [sources.web] with its write_keys")
        read = {name: self._source(table, inside(place, name), name) for name, table in tables.items()}
        owners: dict[str, str] = {}
        for name, table in tables.items():
            self._check_keys(_texts(table, "write_keys"), inside(place, name), name, owners)
            self._check_names(_texts(table, "destinations"), inside(place, name), destinations)
            self._check_origins(_texts(table, "origins"), inside(place, name))
        sources = {name: source for name, source in read.items() if source is not None}
        for name, source in sources.items():
            self._check_ways(source, inside(place, name), destinations)
        return sources

    def _source(self, table: Mapping[str, Any], place: str, name: str) -> SourceTable | None:
        self._check_name(name, place)
        source, problems = read_table(SourceTable, table, place)
        self.problems += problems
        return source

    def _check_name(self, name: str, place: str) -> None:
        if not _NAME.fullmatch(name):
            self._found(place, "a name is made of 1 to 64 letters, digits, - and _ (A-Z a-z 0-9)")

    def _check_keys(self, keys: Mapping[int, str], place: str, name: str, owners: dict[str, str]) -> None:
        for index, key in keys.items():
            where = f"{place} write_keys[{index}]"
            if not _KEY.fullmatch(key):
                self._found(where, "must be 1 to 200 visible ASCII characters, not only colons")
            elif key in owners:
                self._found(where, f"is already a key of source {owners[key]}")
            owners.setdefault(key, name)

    def _check_origins(self, origins: Mapping[int, str], place: str) -> None:
        for index, origin in origins.items():
            if mistake := origin_mistake(origin):
                self._found(f"{place} origins[{index}]", mistake)

    def _check_names(self, names: Mapping[int, str], place: str, destinations: Collection[str]) -> None:
        for index, name in names.items():
            if name not in destinations:
                words = f"there is no destination {name!r}; there are {', '.join(destinations)}"
                self._found(f"{place} destinations[{index}]", words)

    def _check_ways(self, source: SourceTable, place: str, destinations: Mapping[str, DestinationTable]) -> None:
        named = source.destinations or []
        for store in STORES:
            if store in named and store not in _stores(source):
                self._found(f"{place} {store}", f"is false, yet destinations names {store!r}")
        if destinations.keys() >= set(named) and not _resolved(source, destinations):
            self._found(place, "has no destination that is switched on: its messages would go nowhere")

    def _found(self, place: str, message: str) -> None:
        self.problems.append(Problem(place, message))
