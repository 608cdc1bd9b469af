"""The messages that speak of somebody are found in the archive, and what is remembered for that may go at any time."""

import os
from pathlib import Path
from typing import Any

import pytest

from destinations.archive import people, who
from destinations.archive.finder import slots
from destinations.archive.hours import hours
from destinations.archive.layout import Slot
from destinations.archive.spoken import spoken
from destinations.profiles.node import Node
from tests.destinations.messages import envelope
from tests.destinations.test_archive_finder import keep, packed

ANN, BEN = Node("user_id", "ann"), Node("user_id", "ben")
PHONE = Node("anonymous_id", "phone")
ACME = Node("group_id", "acme")
LANE = "web/2024-05-06/07/p07"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "archive"


def mentions(root: Path, *nodes: Node) -> list[str]:
    return [one.spoken.message_id for one in people.mentions(root, slots(root), nodes)]


def of(user: str, numbers: range, **members: Any) -> list[Any]:
    return [envelope(number, user=user, **members) for number in numbers]


def age(root: Path) -> None:
    """As if nothing had been written for some minutes."""
    for index in root.rglob("*.index"):
        os.utime(index, (1_700_000_000, 1_700_000_000))


def test_the_messages_of_a_user_are_found_among_those_of_others(root: Path) -> None:
    keep(root, of("ann", range(10)), of("ben", range(10, 20)), of("ann", range(20, 25)))
    assert mentions(root, ANN) == [f"m{number}" for number in (*range(10), *range(20, 25))]
    assert mentions(root, BEN) == [f"m{number}" for number in range(10, 20)]
    assert mentions(root, Node("user_id", "nobody")) == []


@pytest.mark.parametrize(
    ("node", "members"),
    [
        (PHONE, {"userId": None, "anonymousId": "phone"}),
        (PHONE, {"anonymousId": "phone"}),
        (Node("user_id", "old"), {"type": "alias", "previousId": "old"}),
        (Node("anonymous_id", "old"), {"type": "alias", "previousId": "old"}),
        (ACME, {"type": "group", "groupId": "acme"}),
        (ACME, {"context": {"groupId": "acme"}}),
        (ACME, {"context": {"groups": ["other", "acme"]}}),
    ],
)
def test_whatever_way_a_message_names_somebody_it_is_found(root: Path, node: Node, members: dict[str, Any]) -> None:
    keep(root, [envelope(1), envelope(2, **members), envelope(3)])
    assert mentions(root, node) == ["m2"]


def test_an_id_of_one_kind_is_not_that_of_another(root: Path) -> None:
    keep(root, [envelope(1, user="acme"), envelope(2, anonymousId="acme"), envelope(3, context={"groupId": "acme"})])
    assert mentions(root, ACME) == ["m3"]
    assert mentions(root, Node("user_id", "acme")) == ["m1"]


def test_odd_contexts_are_passed_over(root: Path) -> None:
    keep(root, [envelope(1, context={"groupId": 7, "groups": "acme"}), envelope(2, context={"groups": [None, "acme"]})])
    assert mentions(root, ACME) == ["m2"]


def test_a_mention_says_where_it_lies(root: Path) -> None:
    batch = packed(95)
    keep(root, batch[:50], batch[50:])
    found = list(people.mentions(root, slots(root), [Node("user_id", "u1")]))
    assert [one.number for one in found] == list(range(95))
    shelf = people.Shelf(root, found[0].slot)
    assert [shelf.position(one.number) for one in found] == [one.position for one in batch]
    assert [shelf.frame_of(number) for number in (0, 49, 50, 94)] == [0, 0, 1, 1]


def test_what_was_gone_through_is_remembered_once_a_file_is_quiet(root: Path) -> None:
    keep(root, of("ann", range(10)))
    assert len(mentions(root, ANN)) == 10
    assert not (root / f"{LANE}.who").exists(), "a few messages of a file that still grows are not worth a write"
    age(root)
    assert len(mentions(root, ANN)) == 10
    assert (root / f"{LANE}.who").exists()
    (root / f"{LANE}.jsonl.zst").rename(root / "elsewhere")
    assert mentions(root, BEN) == [], "nothing is read where nobody is mentioned"


def test_messages_that_come_later_are_found_too(root: Path) -> None:
    for start in range(0, 100, 10):
        keep(root, of("ann" if start % 20 else "ben", range(start, start + 10)))
        age(root)
        assert len(mentions(root, ANN, BEN)) == start + 10
    assert len(mentions(root, ANN)) == 50


def test_many_small_runs_become_few(root: Path) -> None:
    for number in range(15):
        keep(root, [envelope(number, user="ann")])
        age(root)
        mentions(root, ANN)
    with (root / f"{LANE}.who").open("rb") as file:
        runs = who._runs(file.fileno(), (root / f"{LANE}.index").stat().st_ino)
    assert sum(run.count for run in runs) == 15
    assert len(runs) <= 4


@pytest.mark.parametrize("damage", ["gone", "empty", "short", "head", "garbage"])
def test_what_a_crash_took_is_made_anew(root: Path, damage: str) -> None:
    keep(root, of("ann", range(20)))
    age(root)
    mentions(root, ANN)
    path = root / f"{LANE}.who"
    whole = path.read_bytes()
    match damage:
        case "gone":
            path.unlink()
        case "empty":
            path.write_bytes(b"")
        case "short":
            os.truncate(path, len(whole) - 1)
        case "head":
            path.write_bytes(bytes(who.HEAD) + whole[who.HEAD :])
        case _:
            path.write_bytes(b"x" * 100)
    assert len(mentions(root, ANN)) == 20
    assert path.read_bytes() == whole


def test_a_file_that_was_written_anew_is_gone_through_anew(root: Path) -> None:
    keep(root, of("ann", range(20)))
    age(root)
    mentions(root, ANN)
    kept = (root / f"{LANE}.who").read_bytes()
    for end in ("index", "jsonl.zst", "ids"):
        (root / f"{LANE}.{end}").rename(root / end)
    keep(root, of("ben", range(20)))
    age(root)
    (root / f"{LANE}.who").write_bytes(kept)
    assert (len(mentions(root, ANN)), len(mentions(root, BEN))) == (0, 20)


def test_a_file_that_became_shorter_is_gone_through_anew(root: Path) -> None:
    keep(root, of("ben", range(10)), of("ann", range(10, 20)))
    age(root)
    mentions(root, ANN)
    index = root / f"{LANE}.index"
    index.write_bytes(index.read_bytes().splitlines(keepends=True)[0])
    assert mentions(root, ANN) == []
    assert len(mentions(root, BEN)) == 10


def test_nothing_needs_to_be_written_to_find_somebody(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(root, of("ann", range(20)))
    age(root)
    (root / f"{LANE}.who").mkdir()
    (root / f"{LANE}.who").rmdir()
    (root / f"{LANE}.who").symlink_to("/nowhere/at/all")
    assert len(mentions(root, ANN)) == 20


def test_when_time_is_over_the_next_search_goes_on_from_there(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "BATCH", 10)
    keep(root, *(of("ann", range(start, start + 10)) for start in range(0, 40, 10)))
    age(root)
    slot = Slot("web", "2024-05-06T07", "p07")
    found = [people.candidates(root, slot, [ANN], deadline=0.0) for _ in range(4)]
    assert [len(one.numbers) for one in found] == [10, 20, 30, 40]
    assert [one.whole for one in found] == [False, False, False, True]


def test_the_owner_of_a_message_is_its_user_and_else_its_visitor() -> None:
    def speaker(**members: Any) -> Node | None:
        return spoken(envelope(1, **members).body).speaker()

    assert speaker(user="ann", anonymousId="phone") == ANN
    assert speaker(userId=None, anonymousId="phone") == PHONE
    assert speaker(userId=None, type="group", groupId="acme") is None


def test_hours_come_newest_first_with_the_files_of_all_sources(root: Path) -> None:
    times = ["2024-05-06T07", "2024-05-06T09", "2024-05-07T00", "2024-06-01T00"]
    for number, hour in enumerate(times):
        keep(root, [envelope(number, received_at=f"{hour}:00:00.000Z")])
    keep(root, [envelope(9, source="app", lane="p01~r5f3a")])
    (root / "web" / "2024-05-06" / "07" / "p00.index.tmp").touch()
    found = [(hour, [(slot.source, slot.lane) for slot in here]) for hour, here in hours(root, times[0], times[2])]
    assert found == [
        ("2024-05-07T00", [("web", "p07")]),
        ("2024-05-06T09", [("web", "p07")]),
        ("2024-05-06T07", [("app", "p01~r5f3a"), ("web", "p07")]),
    ]
    assert [hour for hour, _ in hours(root, times[0], times[2], oldest_first=True)] == times[:3]
    assert list(hours(root / "nowhere", times[0], times[2])) == []
