"""Whose request it is, and under which address it reached us, behind proxies that may or may not be believed."""

import pytest

from collector.request import Request, headers_of
from collector.visitor import address_of, neighbourhood, networks, outer_url

TRUSTED = networks(["10.0.0.0/8", "2001:db8:1::/48"])
PROXY = "10.0.0.9"
CLIENT = "203.0.113.7"


def request(peer: str, **headers: str) -> Request:
    named = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return Request("POST", "/v1/t", b"/v1/t", b"", named, peer)


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        (CLIENT, "198.51.100.1", CLIENT),  # a stranger's word
        (PROXY, CLIENT, CLIENT),
        (PROXY, f"198.51.100.1, {CLIENT}", CLIENT),  # what stands before is what the client made up
        (PROXY, f"198.51.100.1, {CLIENT}, 10.1.2.3", CLIENT),
        (PROXY, f"{CLIENT},10.1.2.3 , 2001:db8:1::5", CLIENT),
        (PROXY, f"{CLIENT}:4711", CLIENT),
        (PROXY, "[2001:db8::1]:443", "2001:db8::1"),
        (PROXY, "2001:DB8:0:0::1", "2001:db8::1"),
        (PROXY, f"::ffff:{CLIENT}", CLIENT),
        (PROXY, "10.1.1.1, 10.2.2.2", "10.1.1.1"),  # a client within the house
        (PROXY, "", PROXY),
        (PROXY, " , ", PROXY),
        (PROXY, "unknown", ""),
        (PROXY, f"{CLIENT}, unknown, 10.1.1.1", ""),
        (f"::ffff:{PROXY}", CLIENT, CLIENT),
        ("2001:db8:1::7", CLIENT, CLIENT),
        ("", CLIENT, ""),
    ],
)
def test_the_address_is_the_last_that_no_trusted_proxy_has(peer: str, forwarded: str, address: str) -> None:
    assert address_of(request(peer, x_forwarded_for=forwarded), TRUSTED) == address


@pytest.mark.parametrize(
    ("peer", "address"), [(CLIENT, CLIENT), (f"::ffff:{CLIENT}", CLIENT), ("fe80::1%eth0", "fe80::1")]
)
def test_without_trusted_proxies_it_is_the_peers(peer: str, address: str) -> None:
    assert address_of(request(peer, x_forwarded_for="198.51.100.1"), ()) == address


def test_a_list_of_hops_without_end_is_read_from_its_end() -> None:
    assert address_of(request(PROXY, x_forwarded_for="198.51.100.1," * 5_000 + CLIENT), TRUSTED) == CLIENT
    assert address_of(request(PROXY, x_forwarded_for=f"{CLIENT}," + "10.0.0.1," * 5_000), TRUSTED) == "10.0.0.1"


def test_proxies_may_add_a_line_each() -> None:
    lines = [(b"x-forwarded-for", CLIENT.encode()), (b"host", b"h"), (b"x-forwarded-for", b"10.1.1.1")]
    headers = headers_of({"headers": lines})
    assert address_of(Request("POST", "/", b"/", b"", headers, PROXY), TRUSTED) == CLIENT


@pytest.mark.parametrize("name", ["forwarded", "true_client_ip", "x_client_ip", "cf_connecting_ip", "x_real_ip"])
def test_other_headers_say_nothing(name: str) -> None:
    assert address_of(request(PROXY, x_forwarded_for=CLIENT, **{name: "for=198.51.100.1"}), TRUSTED) == CLIENT


@pytest.mark.parametrize(
    ("peer", "headers", "url"),
    [
        (CLIENT, {"host": "events.example:8080"}, "http://events.example:8080"),
        (CLIENT, {"host": "a.example", "x_forwarded_host": "evil", "x_forwarded_proto": "https"}, "http://a.example"),
        (PROXY, {"host": "a.example", "x_forwarded_proto": "https"}, "https://a.example"),
        (
            PROXY,
            {"host": "in", "x_forwarded_host": "out.example, in", "x_forwarded_proto": "HTTPS, http"},
            "https://out.example",
        ),
        (PROXY, {"host": "in", "x_forwarded_host": "<script>", "x_forwarded_proto": "javascript"}, "http://in"),
        (CLIENT, {"host": "[2001:db8::1]:80"}, "http://[2001:db8::1]:80"),
        (CLIENT, {"host": "a.example/path?"}, ""),
        (CLIENT, {}, ""),
    ],
)
def test_the_outer_address_is_what_the_client_knows(peer: str, headers: dict[str, str], url: str) -> None:
    assert outer_url(request(peer, **headers), TRUSTED) == url


def test_neighbours_share_what_one_host_may_have_of_its_network() -> None:
    assert neighbourhood("2001:db8::1") == neighbourhood("2001:db8::ffff:1") != neighbourhood("2001:db8:0:1::1")
    assert neighbourhood(CLIENT) == CLIENT
    assert neighbourhood("") == ""
