"""`/v1/spaces/...`: Segment's Profile API."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collector.api.door import Ask, Gate
from collector.api.errors import NotFound
from collector.profiles import shapes
from collector.profiles.asked import (
    CLASSES,
    COLLECTION,
    MOST_LISTED,
    PROFILE,
    QUESTIONS,
    TYPES,
    USUAL,
    Query,
    Whose,
    collection_of,
    whose,
)
from collector.profiles.desk import Desk, Where
from destinations.archive.recent import Stand
from destinations.profiles import questions
from destinations.profiles.listing import Wanted, refused
from destinations.profiles.node import KINDS, Kind, Node
from destinations.profiles.profile import Profile
from destinations.profiles.reading import groups_of, members_of
from worker.stories import people
from worker.stories.people import Sought


class Asked:
    """A request, read."""

    def __init__(self, request: Request) -> None:
        self.url: str = request.scope["path"]
        self.query = Query(request.scope["query_string"])
        self.space: str = request.path_params["space"]
        self.collection: str = request.path_params["collection"]
        self._identifier: str = request.path_params.get("identifier", "")

    @property
    def whose(self) -> Whose:
        return whose(self.collection, self._identifier)


Answer = Callable[[Asked], Awaitable[Any]]


class Profiles:
    """The answers to each of the questions."""

    def __init__(self, desk: Desk, now: Callable[[], float] = time.time) -> None:
        self._desk = desk
        self._now = now

    async def traits(self, asked: Asked) -> Any:
        query = asked.query
        limit, include, after = query.limit(USUAL["traits"]), query.names("include"), query.after(str) or ""
        show = shapes.verbose if query.flag("verbose") else shapes.plain
        computed = query.one_of("class", CLASSES)
        profile = await self._profile(asked.whose)
        # Audiences and computed traits are Segment's: there are none here.
        names, more = ([], False) if computed else shapes.traits(profile, include, after=after, limit=limit)
        return {"traits": show(profile, names), "cursor": shapes.cursor(asked.url, limit, names[-1] if more else None)}

    async def external_ids(self, asked: Asked) -> Any:
        limit, after = asked.query.limit(USUAL["external_ids"]), asked.query.number_after()
        asked.query.flag("verbose")
        profile = await self._profile(asked.whose)
        return _paged(asked, shapes.external_ids(profile, asked.query.names("include")), limit, after)

    async def metadata(self, asked: Asked) -> Any:
        asked.query.flag("verbose")
        return {"metadata": shapes.metadata(await self._profile(asked.whose))}

    async def links(self, asked: Asked) -> Any:
        limit, after = asked.query.limit(USUAL["links"]), asked.query.number_after()
        profile = await self._profile(asked.whose)
        if profile.collection == "accounts":
            members, next_ = await self._desk.ask(members_of, profile.number, limit, after)
            return {"data": shapes.links(members, "users"), "cursor": shapes.cursor(asked.url, limit, next_)}
        groups = await self._desk.ask(groups_of, profile.number)
        return _paged(asked, shapes.links(groups, "accounts"), limit, after)

    async def conflicts(self, asked: Asked) -> Any:
        limit, after = asked.query.limit(USUAL["conflicts"]), asked.query.number_after()
        profile = await self._profile(asked.whose)
        found = await self._desk.ask(refused, profile.number)
        return _paged(asked, [shapes.conflict(one) for one in found], limit, after)

    async def events(self, asked: Asked) -> Any:
        query, limit = asked.query, asked.query.limit(USUAL["events"])
        since, until = query.time("start"), query.time("end")
        stand = query.after(Stand) or people.beginning(round(self._now() * 1000), since, until)
        sought = _sought(query, self._desk.where)
        profile = await self._profile(asked.whose)
        page = await self._desk.search(msgspec.structs.replace(sought, nodes=_nodes(profile)), stand, limit)
        own = shapes.own_name(profile)
        found = [shapes.event(mention, own) for mention in page.found]
        return {"data": found, "cursor": shapes.cursor(asked.url, limit, page.stand)}

    async def listed(self, asked: Asked) -> Any:
        query, limit = asked.query, asked.query.limit(USUAL["profiles"], MOST_LISTED)
        wanted = Wanted(
            kind=_kind(asked),
            prefix=query.text("prefix") or "",
            email=query.text("email"),
            name=query.text("name"),
            type=query.text("type"),
            after=query.after(str) or "",
        )
        found = await self._desk.ask(questions.listed, wanted, limit + 1)
        shown = found[:limit]
        place = shown[-1].id if len(found) > limit else None
        return {"data": [shapes.listed(one) for one in shown], "cursor": shapes.cursor(asked.url, limit, place)}

    async def _profile(self, one: Whose) -> Profile:
        profile = await self._desk.ask(questions.profile, *one)
        if profile is None:
            raise NotFound("Profile was not found.")
        return profile


def routes(gate: Gate, profiles: Profiles) -> list[Route]:
    about: dict[str, Answer] = {name: getattr(profiles, name) for name in QUESTIONS}
    return [
        Route(COLLECTION, gate.guarded(_answering(gate, profiles.listed))),
        *(Route(f"{PROFILE}/{name}", gate.guarded(_answering(gate, answer))) for name, answer in about.items()),
    ]


def _answering(gate: Gate, answer: Answer) -> Ask:
    async def ask(request: Request) -> Response:
        asked = Asked(request)
        if gate.settings.space not in (None, asked.space):
            raise NotFound("There is no such space.")
        return Response(msgspec.json.encode(await answer(asked)), media_type="application/json")

    return ask


def _paged(asked: Asked, found: list[Any], limit: int, after: int) -> dict[str, Any]:
    place = after + limit if after >= 0 and len(found) > after + limit else None
    return {"data": found[max(after, 0) :][:limit], "cursor": shapes.cursor(asked.url, limit, place)}


def _sought(query: Query, where: Where) -> Sought:
    """Whatever may be asked of anybody."""
    return Sought(
        roots=where.archives,
        partitions=where.partitions,
        types=query.several_of("type", TYPES),
        include=query.names("include"),
        exclude=query.names("exclude"),
        oldest_first=query.one_of("sort", ("desc", "asc")) == "asc",
    )


def _nodes(profile: Profile) -> tuple[Node, ...]:
    return tuple(Node(one.type, one.id) for one in profile.ids if one.type in KINDS)


def _kind(asked: Asked) -> Kind:
    if collection_of(asked.collection) == "accounts":
        return "group_id"
    return "anonymous_id" if asked.query.one_of("anonymous", ("false", "true")) == "true" else "user_id"
