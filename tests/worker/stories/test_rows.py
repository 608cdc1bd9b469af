"""From passages to rows that are true by themselves."""

from hypothesis import given
from hypothesis import strategies as st

from destinations.outcome import Exchange
from tests.worker.stories.rig import at, delivered, passage
from worker.stories.rows import WIDEST_MS, Row, rows_of
from worker.story import Part, sortable


def spans(rows: list[Row]) -> list[tuple[str, str, str]]:
    return [(row.fate, row.first, row.last) for row in rows]


def fates(rows: list[Row], position: str) -> list[str]:
    return [row.fate for row in rows if row.first <= sortable(position) <= row.last]


def test_what_is_delivered_at_once_batch_after_batch_is_one_row() -> None:
    rows = rows_of(0, [delivered(at(1), at(3), at_ms=10), delivered(at(4), at(4), at_ms=30)])
    assert spans(rows) == [("delivered", sortable(at(1)), sortable(at(4)))]
    assert (rows[0].at_ms, rows[0].until_ms) == (10, 30)


def test_what_is_long_apart_stays_apart() -> None:
    rows = rows_of(0, [delivered(at(1), at(1), at_ms=0), delivered(at(2), at(2), at_ms=WIDEST_MS + 1)])
    assert len(rows) == 2


def test_lines_and_destinations_do_not_mix() -> None:
    rows = rows_of(
        0, [delivered(at(1), at(1)), delivered(at(2), at(2), destination="archive"), delivered(at(2), at(2))]
    )
    assert [row.destination for row in rows] == ["hook", "archive"]
    assert rows_of(0, [delivered(at(1), at(1)), delivered(at(2), at(2), line="web~retry~hook")])[1].line != "web"


def test_a_failure_in_between_ends_a_row() -> None:
    failed = passage(Part("failed", reason="503"), first=at(2), last=at(2))
    rows = rows_of(0, [delivered(at(1), at(1)), failed, delivered(at(3), at(3))])
    assert [row.fate for row in rows] == ["delivered", "failed", "delivered"]


def test_what_goes_back_in_the_line_is_a_row_of_its_own() -> None:
    assert len(rows_of(0, [delivered(at(2), at(2)), delivered(at(1), at(1))])) == 2


def test_the_rest_is_told_around_the_exceptions() -> None:
    exceptions = Part("aside", positions=(at(2), at(2, 1), at(5)), reason="500")
    rows = rows_of(0, [passage(Part("delivered"), exceptions, first=at(1), last=at(5))])
    assert fates(rows, at(1)) == fates(rows, at(2, 2)) == fates(rows, at(4, 7)) == ["delivered"]
    assert fates(rows, at(2)) == fates(rows, at(2, 1)) == fates(rows, at(5)) == ["aside"]
    assert len(rows) == 4, "neighbours in an entry are one row"


def test_all_rows_of_a_part_share_what_was_said() -> None:
    said = Exchange("POST /", "500")
    rows = rows_of(0, [passage(Part("failed", positions=(at(1), at(3)), exchange=said))])
    assert [row.exchange for row in rows] == [said, said]


positions = st.builds(at, st.integers(1, 6), st.integers(0, 3))


@given(st.sets(positions, min_size=1), st.data())
def test_each_message_of_a_passage_is_in_the_row_of_its_fate_and_in_no_other(
    present: set[str], data: st.DataObject
) -> None:
    dead = data.draw(st.sets(st.sampled_from(sorted(present))))
    aside = data.draw(st.sets(st.sampled_from(sorted(present)))) - dead
    ordered = sorted(present, key=sortable)
    parts = (Part("delivered"), Part("dead", positions=tuple(dead)), Part("aside", positions=tuple(aside)))
    rows = rows_of(0, [passage(*parts, first=ordered[0], last=ordered[-1])])
    for position in present:
        expected = "dead" if position in dead else "aside" if position in aside else "delivered"
        assert fates(rows, position) == [expected]
