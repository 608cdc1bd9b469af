"""Which destinations see a message."""

import pytest

from destinations.outcome import Filtered
from schemas.envelope import decode_head
from schemas.forgotten import placeholder
from tests.worker.rig import body
from worker.routing import BY_INTEGRATIONS, filtered


@pytest.mark.parametrize(
    ("integrations", "wanted"),
    [
        (None, True),
        ({"hook": True}, True),
        ({"hook": {"option": 1}}, True),
        ({"hook": False}, False),
        ({"All": False}, False),
        ({"All": False, "hook": True}, True),
        ({"All": False, "other": True}, False),
        ({"other": False}, True),
        ({"hook": None}, True),
    ],
)
def test_a_message_says_which_destinations_it_is_for(integrations: dict[str, object] | None, wanted: bool) -> None:
    found = filtered(decode_head(body("m", integrations=integrations)), "hook", storage=False)
    assert found == (None if wanted else Filtered(BY_INTEGRATIONS))


def test_storage_keeps_what_no_destination_should_have() -> None:
    assert filtered(decode_head(body("m", integrations={"All": False})), "archive", storage=True) is None


def test_what_stands_for_a_forgotten_message_goes_where_places_are_kept_only() -> None:
    head = decode_head(placeholder(decode_head(body("m")), "forgotten-1"))
    assert filtered(head, "hook", storage=False) == Filtered("forgotten")
    assert filtered(head, "profiles", storage=True) == Filtered("forgotten")
    assert filtered(head, "archive", storage=True, places=True) is None
