"""What a child process tells its parent."""

import os

from tests.waiting import eventually
from tests.worker.rig import exit_code, forked
from worker.slot import Slot


def test_what_a_child_writes_its_parent_reads() -> None:
    slot = Slot()

    def child() -> None:
        slot.ready()
        slot.well("hook")

    assert not slot.is_ready()
    with forked(child) as pid:
        assert exit_code(pid) == 0
    assert (slot.is_ready(), slot.words()) == (True, "hook")


def test_last_words_do_not_make_it_well() -> None:
    slot = Slot()
    with forked(lambda: os._exit(0)):
        eventually(lambda: slot.age() > 0.01)
        slot.last_words("stuck in hook")
        assert slot.age() > 0.01
    slot.well()
    assert slot.age() < 0.01
    assert slot.words() == ""


def test_words_of_any_length_fit() -> None:
    slot = Slot()
    slot.last_words("ü" * 10_000)
    assert slot.words().startswith("üüü")
