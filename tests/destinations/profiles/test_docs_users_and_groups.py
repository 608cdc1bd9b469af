"""The examples of docs/users-and-groups.md are true, in whichever order and however often things are said."""

import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection

from collector.config import config_of
from collector.groups import attaching
from destinations.profiles import reading
from destinations.profiles.claims import Claims, claims_of
from destinations.profiles.forgetting import forget
from destinations.profiles.store import apply, open_profiles
from destinations.sql.engine import reading as looking
from destinations.sql.url import DatabaseUrl
from schemas.arrival import arrival
from schemas.groups import MOST, MOST_ATTACHED_CHARS, attach_groups
from schemas.limits import Limits
from schemas.message import decode_message
from schemas.normalise import normalise

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "users-and-groups.md").read_text()
NOON = 1_714_996_800_000
TIMES = {"originalTimestamp", "receivedAt", "timestamp"}
ORDERS = 3


def blocks() -> Iterator[tuple[str, str]]:
    yield from re.findall(r"^```json ([^\n]+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def examples() -> Iterator[tuple[str, dict[str, str]]]:
    """Messages, and what is shown of each user and group afterwards."""
    said: str = ""
    after: dict[str, str] = {}
    for kind, text in [*blocks(), ("messages", "")]:
        if kind == "messages":
            if said:
                yield said, after
            said, after = text, {}
        elif kind.startswith(("user ", "group ")):
            after[kind] = text


def claims(said: str) -> list[Claims]:
    messages = msgspec.json.decode("[" + re.sub(r"\}\s*\n\{", "},{", said) + "]")
    ids = iter(f"m{number}" for number in range(len(messages)))
    found = [normalise(message, arrival(NOON), lambda: next(ids), Limits()) for message in messages]
    return [claims_of(decode_message(msgspec.json.encode(message)), "web", ["email"]) for message in found]


def shown(connection: Connection, kind: str, name: str) -> Any:
    number = reading.number_of(connection, f"{kind}_id", name)
    assert number is not None
    profile = reading.profile_of(connection, number)
    if kind == "group":
        return {"traits": profile.values()}
    groups = sorted(group.id for group in reading.groups_of(connection, number))
    return {"traits": profile.values(), "ids": [[each.type, each.id] for each in profile.ids], "groups": groups}


@pytest.mark.parametrize("order", range(ORDERS))
@pytest.mark.parametrize(("said", "after"), list(examples()))
def test_an_example_ends_as_shown(tmp_path: Path, said: str, after: dict[str, str], order: int) -> None:
    told = claims(said)
    in_some_order: Sequence[Claims] = told if not order else random.Random(order).sample(told * 2, len(told) * 2)
    database = open_profiles(DatabaseUrl.of_file(tmp_path / "profiles.db"))
    for each in in_some_order:
        apply(database, [each])
    with looking(database) as connection:
        for title, expected in after.items():
            assert shown(connection, *title.split()) == msgspec.json.decode(expected), title
    database.dispose()


def test_a_user_is_forgotten_as_shown(tmp_path: Path) -> None:
    ((said, (title, left)),) = [
        (text, found)
        for (kind, text), found in zip(blocks(), [*blocks()][1:], strict=False)
        if kind == "said" and found[0].startswith("forgotten ")
    ]
    database = open_profiles(DatabaseUrl.of_file(tmp_path / "profiles.db"))
    apply(database, claims(said))
    forget(database, title.split()[1])
    with looking(database) as connection:
        for name, expected in msgspec.json.decode(left).items():
            kind, value = name.split()
            if expected is None:
                id_type = "anonymous_id" if kind == "visitor" else f"{kind}_id"
                assert reading.number_of(connection, id_type, value) is None, name
            else:
                assert shown(connection, kind, value) == expected, name
    database.dispose()


def test_groups_are_attached_as_shown() -> None:
    said, stored = (text for kind, text in blocks() if kind in ("in", "out"))
    message = normalise(msgspec.json.decode(said), arrival(NOON), str, Limits())
    attach_groups(message, ["team", "acme"])
    assert {name: value for name, value in message.items() if name not in TIMES} == msgspec.json.decode(stored)


def test_the_configuration_is_right_and_the_numbers_are_those_in_force() -> None:
    (toml,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    config = config_of(toml, None, {})
    assert config.policies["web"].attach_groups
    assert config.collector.groups_wait == 0.2
    assert (attaching.SAID_FOR, attaching.KNOWN_FOR, MOST, MOST_ATTACHED_CHARS) == (60, 5, 100, 4_096)


def test_every_block_is_tried() -> None:
    kinds = [kind.split()[0] for kind, _ in blocks()]
    counts = {"messages": 7, "user": 7, "group": 2, "said": 1, "forgotten": 1, "in": 1, "out": 1}
    assert {kind: kinds.count(kind) for kind in kinds} == counts
