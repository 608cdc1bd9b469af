"""Which sources' messages get groups, as the configuration says."""

import asyncio
import logging
from pathlib import Path

import msgspec
import pytest

from collector.app import create_app
from collector.config import Config, config_of
from collector.groups.side import GroupSide, lacking
from collector.log_port import Item
from collector.policy import Policy
from destinations.profiles.claims import Claims, Membership
from destinations.profiles.node import Node
from destinations.profiles.store import apply, open_profiles
from schemas.limits import Limits
from tests.collector.client import KEYS, NOON, Client, MemoryLog, basic

ANN = Node("user_id", "ann")
SOURCE = '[sources.web]\nwrite_keys = ["k"]\nattach_groups = {}\n'
KEEPER = '[destinations.profiles]\ntype = "profiles"\n'
TRACK = {"type": "track", "userId": "ann", "event": "E"}


def configured(directory: Path, attach: str = "true", rest: str = KEEPER) -> Config:
    return config_of(SOURCE.format(attach) + rest, "turnout.toml", {}, data=directory)


def joined(config: Config, group: str) -> None:
    url = config.profiles()
    assert url is not None
    database = open_profiles(url)
    apply(
        database, [Claims(stamp="2024-05-06T12:00:00.000Z m", source="", memberships=(Membership(ANN, group, True),))]
    )
    database.dispose()


def stored(*configs: Config) -> list[object]:
    """The groups of a message that is stored after each of these came into force, one after the other."""

    async def run() -> None:
        side = GroupSide(log, configs[0])
        for config in configs:
            side.follow(config)
            await side.opened()
            body = msgspec.json.encode({**TRACK, "context": {}})
            await side.put([Item("web", "m1", "ann", body)], [])
        side.stop()

    log = MemoryLog()
    asyncio.run(run())
    return [message["context"].get("groups") for message in log.messages]


@pytest.mark.parametrize(("path", "body"), [("/v1/track", TRACK), ("/v1/batch", {"batch": [TRACK]})])
def test_only_messages_of_a_source_that_asks_for_groups_go_this_way(path: str, body: object) -> None:
    straight, by_groups = MemoryLog(), MemoryLog()
    app = create_app(
        KEYS,
        straight,
        now=lambda: NOON,
        new_id=lambda: "id",
        limits=Limits(),
        policies={"web": Policy(attach_groups=True)},
        attaching=by_groups,
    )
    for key in ("wk_web", KEYS["shop"][0]):
        assert Client(app).post(path, body, basic(key)).status == 200
    assert [item.source for item in by_groups.items] == ["web"]
    assert [item.source for item in straight.items] == ["shop"]


def test_the_database_of_the_configuration_is_asked_and_a_new_one_follows(tmp_path: Path) -> None:
    one, two = configured(tmp_path / "one"), configured(tmp_path / "two")
    joined(one, "acme")
    joined(two, "team")
    assert stored(one, two, configured(tmp_path / "two", "false")) == [["acme"], ["team"], None]


def test_who_asks_for_groups_that_nobody_keeps_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    config = configured(tmp_path, rest=KEEPER + "enabled = false\n")
    with caplog.at_level(logging.WARNING):
        assert stored(config) == [None]
    assert str(lacking(config)) in caplog.text
    assert lacking(configured(tmp_path, "false", "")) is None


def test_a_collector_that_attaches_nothing_does_without_the_database(tmp_path: Path) -> None:
    assert stored(configured(tmp_path, "false")) == [None]
    assert not (tmp_path / "profiles.db").exists()
