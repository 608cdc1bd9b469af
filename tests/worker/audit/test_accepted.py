"""What was accepted, by position."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import redis

from destinations.builtin.archive import Archive, ArchiveSettings
from schemas.envelope import Envelope, decode_head
from tests.worker.rig import append, terms
from worker import keys
from worker.audit.accepted import Window, archived, body_in_archive, body_in_log, logged, moment
from worker.story import position_of, sortable

HOUR = 3_600_000
START = 1_709_208_000_000  # 2024-02-29T12:00:00Z


def keep(root: Path, *messages: tuple[str, int], lane: str = "p00", hour: str = "T12") -> None:
    """Messages with a name and the millisecond at which they reached the log, received in one hour, in one batch."""
    at = f"2024-02-29{hour}:00:00.000Z"
    envelopes = []
    for name, ms in messages:
        body = msgspec.json.encode(
            {"type": "track", "messageId": name, "timestamp": at, "receivedAt": at, "event": "E"}
        )
        position = f"{ms}-0/0"
        envelopes.append(Envelope(source="web", body=body, head=decode_head(body), lane=lane, position=position))
    Archive("archive", ArchiveSettings(dir=str(root))).deliver(envelopes, deadline=float("inf"))


def moments(root: Path, window: Window = Window()) -> Sequence[int]:  # noqa: B008  frozen
    return [int(position.partition("-")[0]) - START for position in archived(root, "web", 0, window)]


def test_positions_rise_over_hours_and_batches(tmp_path: Path) -> None:
    keep(tmp_path, ("a", START), ("b", START + 20))
    keep(tmp_path, ("c", START + HOUR + 5), ("d", START + HOUR + 9), hour="T13")
    keep(tmp_path, ("e", START + HOUR + 7))
    keep(tmp_path, ("f", START + 30))
    keep(tmp_path, ("g", START + 10), hour="T11")
    keep(tmp_path, ("other", START), lane="p01")
    assert moments(tmp_path) == [0, 10, 20, 30, HOUR + 5, HOUR + 7, HOUR + 9]


def test_what_lay_in_a_spool_comes_at_its_position_not_at_its_hour(tmp_path: Path) -> None:
    keep(tmp_path, ("spooled", START + 5 * HOUR), ("a", START + 5 * HOUR + 1))
    keep(tmp_path, ("b", START + HOUR), hour="T13")
    keep(tmp_path, ("c", START + 5 * HOUR - 1), hour="T17")
    assert moments(tmp_path) == [HOUR, 5 * HOUR - 1, 5 * HOUR, 5 * HOUR + 1]


def test_a_window_leaves_out_what_lies_before_and_after(tmp_path: Path) -> None:
    keep(tmp_path, *((f"m{number}", START + number) for number in range(10)))
    assert moments(tmp_path, Window(moment(START + 3), moment(START + 6))) == [3, 4, 5]


def test_a_message_is_found_by_its_position(tmp_path: Path, log_client: redis.Redis) -> None:
    keep(tmp_path, ("a", START), ("b", START + 20))
    body = body_in_archive(tmp_path, "web", 0, sortable(f"{START + 20}-0/0"))
    assert b'"b"' in (body or b"")
    assert body_in_archive(tmp_path, "web", 0, sortable(f"{START + 10}-0/0")) is None
    append(log_client, terms("hook"), "x", "y")
    _, second = logged(log_client, 0, "web", Window())
    assert b'"y"' in (body_in_log(log_client, 0, "web", second) or b"")
    assert body_in_log(log_client, 0, "web", second[:-1] + "2") is None


def test_entries_that_carry_no_message_are_passed_over(log_client: redis.Redis) -> None:
    log_client.xadd(keys.log(0, "web"), {"n": 0, "canary": 1})
    append(log_client, terms("hook"), "x")
    assert len(list(logged(log_client, 0, "web", Window()))) == 1


def test_a_position_is_the_same_after_it_was_made_sortable() -> None:
    for position in ("1709208000000-0/3", "5-12/0", "1709208000000-100/2499"):
        assert position_of(sortable(position)) == position
