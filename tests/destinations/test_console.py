"""The console shows messages as JSON that a terminal does not obey."""

import io
import time

import msgspec
import pytest

from destinations.builtin.console import Console, ConsoleSettings
from destinations.outcome import Deferred, Delivered
from tests.destinations.messages import envelope, envelopes


def test_a_message_is_a_line() -> None:
    out = io.BytesIO()
    batch = envelopes(2)
    assert Console("c", ConsoleSettings(), out=out).deliver(batch, time.monotonic() + 1) == [Delivered()] * 2
    assert out.getvalue() == b"".join(one.body + b"\n" for one in batch)


def test_pretty_is_the_same_json_indented() -> None:
    out = io.BytesIO()
    one = envelope(1)
    Console("c", ConsoleSettings(format="pretty"), out=out).deliver([one], time.monotonic() + 1)
    assert out.getvalue().startswith(b'{\n  "type": "track",\n')
    assert msgspec.json.decode(out.getvalue()) == one.json()


def test_a_terminal_is_told_nothing() -> None:
    out = io.BytesIO()
    one = envelope(1, event="a\x1b[31m\x9b31m\x7f\r\nb")
    Console("c", ConsoleSettings(), out=out).deliver([one], time.monotonic() + 1)
    assert not any(control in out.getvalue()[:-1] for control in (b"\x1b", b"\xc2\x9b", b"\x7f", b"\r", b"\n"))
    assert msgspec.json.decode(out.getvalue()) == one.json()


def test_standard_output_is_where_it_goes(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    Console("c", ConsoleSettings()).deliver(envelopes(1), time.monotonic() + 1)
    assert capsysbinary.readouterr().out == envelope(0).body + b"\n"


def test_a_full_disk_defers() -> None:
    with open("/dev/full", "wb", buffering=0) as full:
        (outcome,) = Console("c", ConsoleSettings(), out=full).deliver(envelopes(1), time.monotonic() + 1)
    assert outcome == Deferred("standard output: No space left on device", scope="destination")
