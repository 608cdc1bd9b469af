"""What is kept of a refused request holds no write key."""

import pytest

from collector.auth import Grant
from collector.errors import BadBody
from collector.quarantine import KEPT_BYTES, masked, of_body
from tests.collector.client import Client, MemoryLog, basic, gzipped

LONG = "wk_shop_0123456789abcdef"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b'{"writeKey":"dev","a":"dev"}', b'{"writeKey":"***","a":"dev"}'),
        (b'{"writeKey" : "d\\"ev" }', b'{"writeKey" : "***" }'),
        (b'{"writekey":"dev","write_key":"dev"}', b'{"writekey":"***","write_key":"***"}'),
        (b'{"writeKey":"dev', b'{"writeKey":"***"'),
        (b"{'writeKey': 'dev', 'a': 1}", b"{'writeKey': \"***\", 'a': 1}"),
        (b"writeKey=dev&event=e", b'writeKey="***"&event=e'),
        (b'{"writeKey":{"a":1}}', b'{"writeKey":{"a":1}}'),
        (b'{"writeKey":null}', b'{"writeKey":"***"}'),
        (b'{"device":"development"}', b'{"device":"development"}'),
        (b"\xff\x00writeKey:dev", b'\xff\x00writeKey:"***"'),
    ],
)
def test_a_member_write_key_is_masked_and_other_words_stay(raw: bytes, shown: bytes) -> None:
    assert masked(raw, "dev") == shown


def test_a_long_key_is_masked_wherever_it_stands() -> None:
    assert masked(f"<key>{LONG}</key>".encode(), LONG) == b"<key>***</key>"


def test_a_refused_message_stays_json_when_its_key_is_masked(client: Client, log: MemoryLog) -> None:
    body = b'{"writeKey":"%s","userId":"u1","properties":{"copy":"%s"}}' % (LONG.encode(), LONG.encode())
    client.request("POST", "/v1/track", body, {})
    assert log.refusals[0].raw == b'{"writeKey":"***","userId":"u1","properties":{"copy":"***"}}'
    assert log.refusals[0].size == len(body)


def test_a_body_is_cut_and_its_size_told() -> None:
    refusal = of_body(BadBody("invalid_json", "no"), b"x" * 500_000, Grant("web", LONG), "now", "/v1/track")
    assert (len(refusal.raw), refusal.size) == (KEPT_BYTES, 500_000)


def test_a_key_across_the_cut_is_masked_too() -> None:
    body = b"x" * (KEPT_BYTES - 5) + LONG.encode()
    refusal = of_body(BadBody("invalid_json", "no"), body, Grant("web", LONG), "now", "/v1/track")
    assert b"wk_" not in refusal.raw


def test_what_could_be_inflated_is_kept_in_the_clear(client: Client, log: MemoryLog) -> None:
    cut = gzipped(b'{"writeKey":"%s","batch":[' % LONG.encode() + b'{"a":1},' * 999)[:-8]
    client.post("/v1/batch", cut, {**basic(LONG), "Content-Encoding": "gzip"})
    (refusal,) = log.refusals
    assert refusal.raw.startswith(b'{"writeKey":"***","batch":[{"a":1},')


def test_what_stays_compressed_is_not_kept(client: Client, log: MemoryLog) -> None:
    client.post("/v1/batch", gzipped(b'{"writeKey":"wk_web"}'), {"Content-Encoding": "br"})
    client.post("/v1/batch", gzipped(b'{"writeKey":"wk_web"}'))
    assert [refusal.raw for refusal in log.refusals] == [b"", b""]
    assert all(refusal.size > 20 for refusal in log.refusals)
