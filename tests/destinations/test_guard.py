"""Only public addresses are reached, however they are written."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from destinations.http.guard import Guard, not_public
from destinations.http.request import Answer, NoAnswer, Request
from destinations.http.transport import HttpTransport
from tests.receiver import Answer as Reply
from tests.receiver import Receiver

PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",  # noqa: S104  nothing is bound
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "168.63.129.16",
    "100.64.0.1",
    "100.100.100.200",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
SPELLINGS = [
    "127.0.0.1",
    "127.1",
    "0x7f000001",
    "0x7f.1",
    "017700000001",
    "2130706433",
    "0",
    "localhost",
    "LOCALHOST",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "169.254.169.254",
    "10.0.0.1",
    "[64:ff9b::7f00:1]",
    "[fe80::1]",
]


@pytest.fixture
def guarded() -> Iterator[HttpTransport]:
    transport = HttpTransport(Guard(extra_ports=frozenset(range(1, 65_536))), 1)
    yield transport
    transport.close()


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert not_public(address) is not None


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "100.128.0.1", "172.32.0.1", "2606:4700::1111"])
def test_a_public_address_is_let_through(address: str) -> None:
    assert not_public(address) is None


def test_unusual_ports_must_be_allowed() -> None:
    assert Guard().refusal("8.8.8.8", 6379) == "port 6379 is not allowed"
    assert Guard(extra_ports=frozenset({6379})).refusal("8.8.8.8", 6379) is None
    assert Guard().refusal("8.8.8.8", 443) is None


@pytest.mark.parametrize("host", SPELLINGS)
def test_nothing_connects_to_this_machine_however_it_is_spelled(guarded: HttpTransport, host: str) -> None:
    with Receiver() as receiver:
        answer = guarded.send(Request("POST", f"http://{host}:{receiver.port}/"), 5)
        assert isinstance(answer, NoAnswer)
        assert "is not public" in answer.reason
        assert receiver.connections == 0


def test_a_name_is_looked_up_once_and_what_was_checked_is_connected_to() -> None:
    """A resolver that would give another address when asked again is not asked again."""
    answers = iter([[(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]])

    def rebinding(host: str, port: int, *, type: int) -> list[tuple[Any, ...]]:  # noqa: A002  as in the library
        return [(*found[:4], (found[4][0], port)) for found in next(answers)]

    with Receiver() as receiver:
        transport = HttpTransport(Guard(allow_private=True), 1, rebinding)
        answer = transport.send(Request("POST", f"http://rebinding.example:{receiver.port}/"), 5)
        assert isinstance(answer, Answer)
        assert next(answers, None) is None
        transport.close()


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    def mixed(host: str, port: int, *, type: int) -> list[tuple[Any, ...]]:  # noqa: A002  as in the library
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("8.8.8.8", "10.0.0.1")]

    answer = HttpTransport(Guard(), 1, mixed).send(Request("POST", "http://mixed.example/"), 5)
    assert answer == NoAnswer("the address 10.0.0.1 is not public (private)")


def test_a_redirect_to_the_metadata_address_is_not_followed() -> None:
    with Receiver(Reply(302, {"Location": "http://169.254.169.254/latest/meta-data/"})) as receiver:
        transport = HttpTransport(Guard(allow_private=True), 1)
        answer = transport.send(Request("POST", receiver.url), 5)
        assert isinstance(answer, Answer)
        assert answer.status == 302
        assert len(receiver.requests) == 1
        transport.close()


def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as proxy, Receiver() as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        transport = HttpTransport(Guard(allow_private=True), 1)
        assert isinstance(transport.send(Request("POST", receiver.url), 5), Answer)
        assert proxy.connections == 0
        transport.close()
