"""Somebody's messages are read page by page, the newest first, whatever files they lie in."""

import itertools
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from destinations.archive import people
from destinations.archive.people import Mention
from destinations.archive.recent import Page, Search, Stand
from destinations.profiles.node import Node
from schemas.envelope import Envelope
from tests.destinations.messages import envelope
from tests.destinations.test_archive_finder import keep
from tests.destinations.test_archive_people import age

ANN = Node("user_id", "ann")
ALL = Stand("2024-05-01T00:00:00.000Z", "2024-06-01T00:00:00.000Z")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "archive"


def at(number: int, minute: int, **members: Any) -> Envelope:
    """A message of ann, received so many minutes after midnight."""
    received = f"2024-05-{6 + minute // 1440:02d}T{minute // 60 % 24:02d}:{minute % 60:02d}:00.000Z"
    return envelope(number, received_at=received, **{"user": "ann", **members})


def search(*roots: Path, **more: Any) -> Search:
    return Search(roots=roots, nodes=frozenset([ANN]), **{"wanted": lambda mention: True, **more})


def ids(found: list[Mention]) -> list[str]:
    return [one.spoken.message_id for one in found]


def pages(asked: Search, limit: int, stand: Stand = ALL, deadline: float = math.inf) -> list[list[str]]:
    found = []
    for _ in range(1_000):
        page = asked.page(stand, limit, deadline)
        found.append(ids(page.found))
        if page.stand is None:
            return found
        stand = page.stand
    raise AssertionError("it comes to no end")


def test_the_newest_come_first_from_all_hours_lanes_sources_and_archives(root: Path, tmp_path: Path) -> None:
    keep(root, [at(1, 10), at(4, 20)])
    keep(root, [at(2, 12, lane="p01"), at(3, 15, lane="p01")])
    keep(root, [at(5, 500, source="app"), at(6, 3000)])
    keep(tmp_path / "other", [at(7, 14)])
    keep(root, [at(8, 13, user="ben")])
    newest = ["m6", "m5", "m4", "m3", "m7", "m2", "m1"]
    both = (root, tmp_path / "other")
    assert pages(search(*both), 100) == [newest]
    assert pages(search(*both), 3) == [newest[:3], newest[3:6], newest[6:]]
    assert pages(search(*both), 7) == [newest], "that it is the last page shows at once"
    assert pages(search(*both, oldest_first=True), 2) == [["m1", "m2"], ["m7", "m3"], ["m4", "m5"], ["m6"]]


def test_only_what_was_received_within_the_time_is_given(root: Path) -> None:
    keep(root, [at(number, number) for number in range(0, 240, 30)])
    stand = Stand("2024-05-06T00:30:00.000Z", "2024-05-06T03:00:00.000Z")
    assert pages(search(root), 100, stand) == [["m150", "m120", "m90", "m60", "m30"]]


def test_what_does_not_count_does_not_make_a_page_smaller(root: Path) -> None:
    keep(root, [at(number, number) for number in range(20)])
    even = search(root, wanted=lambda mention: int(mention.spoken.message_id[1:]) % 2 == 0)
    assert pages(even, 5) == [["m18", "m16", "m14", "m12", "m10"], ["m8", "m6", "m4", "m2", "m0"]]


def test_a_message_that_was_archived_twice_is_given_once(root: Path) -> None:
    keep(root, [at(number, number) for number in range(6)])
    keep(root, [at(number, number, lane="p07~r5f3a") for number in range(6)])
    assert pages(search(root), 2) == [["m5", "m4"], ["m3", "m2"], ["m1", "m0"]]


def test_messages_that_came_late_are_neither_lost_nor_given_twice(root: Path) -> None:
    keep(root, [at(number, minute) for number, minute in enumerate([10, 40, 20, 30, 50, 5])])
    found = list(itertools.chain(*pages(search(root), 1)))
    assert sorted(found) == [f"m{number}" for number in range(6)]


def test_what_comes_in_between_two_pages_does_not_upset_them(root: Path) -> None:
    keep(root, [at(number, number) for number in range(10)])
    first = search(root).page(ALL, 4, math.inf)
    keep(root, [at(number, number) for number in range(10, 20)])
    assert first.stand is not None
    second = search(root).page(first.stand, 100, math.inf)
    assert ids(first.found) + ids(second.found) == [f"m{number}" for number in reversed(range(10))]


def test_when_the_time_is_over_each_page_still_comes_further(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "BATCH", 5)
    for lane in ("p01", "p02"):
        for start in range(0, 60, 5):
            keep(root, [at(number, number * 3, lane=lane) for number in range(start, start + 5)])
    age(root)
    asked = search(root)
    assert list(itertools.chain(*pages(asked, 10, deadline=0.0))) == list(itertools.chain(*pages(asked, 100)))


def test_hours_without_a_find_take_time_too(root: Path) -> None:
    keep(root, *([at(number, number * 60, user="ben")] for number in range(6)))
    assert pages(search(root), 10, deadline=0.0) == [[]] * 6
    assert pages(search(root), 10) == [[]]


def test_nothing_is_found_where_there_is_no_archive(root: Path) -> None:
    assert search(root).page(ALL, 10, math.inf) == Page([], None)
    assert search().page(ALL, 10, math.inf) == Page([], None)


@settings(max_examples=12, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 300), st.sampled_from(["p01", "p02"]), st.sampled_from(["ann", "ben"])), max_size=40
    ),
    st.integers(1, 7),
    st.booleans(),
)
def test_pages_together_are_everything_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, messages: list[tuple[int, str, str]], limit: int, oldest_first: bool
) -> None:
    root = tmp_path_factory.mktemp("archive")
    messages.sort()
    for lane in ("p01", "p02"):
        batch = [at(n, minute, lane=one, user=user) for n, (minute, one, user) in enumerate(messages) if one == lane]
        if batch:
            keep(root, batch)
    found = pages(search(root, oldest_first=oldest_first), limit)
    expected = [(minute, f"m{n}") for n, (minute, _, user) in enumerate(messages) if user == "ann"]
    assert list(itertools.chain(*found)) == [name for _, name in sorted(expected, reverse=not oldest_first)]
    assert all(len(page) == limit for page in found[:-1])
