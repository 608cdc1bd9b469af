"""The rooms behind the door of the API: questions about users and groups, and users to forget."""

from collections.abc import Callable

from starlette.routing import Route

from collector.api.door import Gate
from collector.profiles import desk as profiles_desk
from collector.profiles import routes as profiles
from collector.profiles.routes import Profiles
from collector.regulations import desk as regulations_desk
from collector.regulations import routes as regulations
from collector.regulations.routes import Regulations
from worker.config import Config


class Furniture:
    """A desk for each: `desk` for questions, `wishes` for those who are to be forgotten."""

    def __init__(
        self,
        config: Config | None,
        desk: profiles_desk.Desk | None = None,
        wishes: regulations_desk.Desk | None = None,
    ) -> None:
        self._desk = desk or profiles_desk.Desk(profiles_desk.where(config) if config else profiles_desk.Where())
        self._wishes = wishes or regulations_desk.Desk(config)

    def routes(self, gate: Gate, now: Callable[[], float]) -> list[Route]:
        return [
            *profiles.routes(gate, Profiles(self._desk, now)),
            *regulations.routes(gate, Regulations(self._wishes)),
        ]

    def follow(self, config: Config) -> None:
        self._desk.where = profiles_desk.where(config)
        self._wishes.config = config

    def close(self) -> None:
        self._desk.close()
        self._wishes.close()
