"""What an append sends to the log server."""

from hypothesis import given
from hypothesis import strategies as st

from tests.worker.rig import terms
from worker.appending import PACK_BYTES, PACK_MESSAGES, append_call, packs


@given(st.lists(st.integers(1, 2 * PACK_BYTES).map(bytes), max_size=12))
def test_packing_keeps_every_message_in_its_order(bodies: list[bytes]) -> None:
    packed = list(packs(bodies))
    assert [body for pack in packed for body in pack] == bodies
    assert all(pack for pack in packed)
    assert all(len(pack) == 1 or sum(map(len, pack)) <= PACK_BYTES for pack in packed)


def test_an_entry_holds_so_many_small_messages_and_no_more() -> None:
    assert [len(pack) for pack in packs([b"{}"] * (2 * PACK_MESSAGES + 1))] == [PACK_MESSAGES, PACK_MESSAGES, 1]


def test_all_keys_of_a_call_are_in_the_same_slot_of_a_cluster() -> None:
    names, _ = append_call(terms("archive", "hook"), 7, "web", [b"d" * 16], [b"{}"])
    assert {name[: name.index("}") + 1] for name in names} == {"{p07}"}


def test_the_two_sets_of_all_partitions_together_hold_the_number_of_ids_asked_for() -> None:
    assert terms("hook", most=1_000).ids_in_one_set() * 2 == 1_000
    assert terms("hook", most=1).ids_in_one_set() == 1
