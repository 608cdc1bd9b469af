"""What a source asks of those who post to it holds for every message, in whatever way it comes."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from collector.policy import Policy, Rate, is_allowed, kept_of, origin_mistake, stricter
from collector.release import Held, judged
from schemas.limits import Limits
from tests.collector.client import NOON, Answered, Client, MemoryLog, basic, edge

SHOP = "https://shop.example"
SUPPRESSED = "0.0.0.0"  # noqa: S104  # an address that says nothing, not one to listen on
TRACK = {"userId": "u1", "event": "E"}


def asking(log: MemoryLog, **policy: Any) -> Client:
    return edge(log, policies={"web": Policy(**policy)})


def batch(*messages: dict[str, Any]) -> dict[str, Any]:
    return {"batch": [{"type": "track", **TRACK, **message} for message in messages]}


def pixel(client: Client, **members: str) -> Answered:
    told = {"writeKey": "wk_web", "userId": "u1", "event": "E", **members}
    answered = client.request("GET", "/v1/pixel/track", query=urlencode(told))
    assert answered is not None
    return answered


class TestOrigins:
    def test_a_script_of_another_site_is_told_that_it_may_not(self, log: MemoryLog) -> None:
        client = asking(log, origins=(SHOP,))
        answered = client.post("/v1/t", TRACK, {"Origin": "https://evil.example"})
        assert (answered.status, answered.json()["code"]) == (403, "origin_not_allowed")
        assert answered.headers["access-control-allow-origin"] == "https://evil.example", "it must be able to read that"
        assert log.puts == 0

    @pytest.mark.parametrize("origin", [SHOP, None])
    def test_a_site_that_is_named_may_and_so_may_who_is_no_script(self, log: MemoryLog, origin: str | None) -> None:
        client = asking(log, origins=(SHOP,))
        assert client.post("/v1/t", TRACK, {} if origin is None else {"Origin": origin}).status == 200

    def test_a_key_in_the_body_opens_no_other_way(self, log: MemoryLog) -> None:
        client = asking(log, origins=(SHOP,))
        for path, body in (("/v1/t", TRACK), ("/v1/b", batch({}))):
            told = client.request(
                "POST", path, json.dumps({**body, "writeKey": "wk_web"}).encode(), {"Origin": "https://evil.example"}
            )
            assert told is not None
            assert told.status == 403
        assert log.puts == 0

    def test_other_sources_are_not_concerned(self, log: MemoryLog) -> None:
        client = edge(log, policies={"shop": Policy(origins=())})
        assert client.post("/v1/t", TRACK, {"Origin": "https://evil.example"}).status == 200

    def test_other_dialects_say_it_in_their_words(self, log: MemoryLog) -> None:
        client = asking(log, origins=(SHOP,))
        query = urlencode({"writeKey": "wk_web", **TRACK})
        shown = client.request("GET", "/v1/pixel/track", headers={"Origin": "https://evil.example"}, query=query)
        assert shown is not None
        assert (shown.status, shown.headers["content-type"]) == (200, "image/gif")
        assert log.puts == 0

    @pytest.mark.parametrize(
        ("origin", "pattern", "allowed"),
        [
            (SHOP, SHOP, True),
            (SHOP, "*", True),
            ("null", "null", True),
            ("null", SHOP, False),
            ("http://shop.example", SHOP, False),
            ("https://shop.example:8443", SHOP, False),
            ("https://www.shop.example", "https://*.shop.example", True),
            ("https://a.b.shop.example", "https://*.shop.example", True),
            (SHOP, "https://*.shop.example", False),
            ("https://evilshop.example", "https://*.shop.example", False),
            ("https://.shop.example", "https://*.shop.example", False),
            ("https://evil.example/x.shop.example", "https://*.shop.example", False),
            ("https://evil.example:1@x.shop.example", "https://*.shop.example", False),
            ("http://x.shop.example", "https://*.shop.example", False),
            ("https://x.shop.example.evil.example", "https://*.shop.example", False),
            ("https://x.shop.example:8443", "https://*.shop.example:8443", True),
        ],
    )
    def test_an_origin_is_allowed_exactly_or_below_a_host(self, origin: str, pattern: str, allowed: bool) -> None:
        assert is_allowed(origin, (pattern,)) is allowed

    @pytest.mark.parametrize(
        "origin",
        [
            SHOP,
            "*",
            "null",
            "https://*.shop.example",
            "http://localhost:3000",
            "http://[::1]:3000",
            "capacitor://localhost",
        ],
    )
    def test_what_can_be_configured(self, origin: str) -> None:
        assert origin_mistake(origin) is None

    @pytest.mark.parametrize(
        ("origin", "words"),
        [
            ("https://shop.example/", "is an address, not an origin: write 'https://shop.example'"),
            ("https://shop.example/cart?x", "is an address, not an origin: write 'https://shop.example'"),
            ("shop.example", "must be an origin such as"),
            ("https://Shop.example", "must be an origin such as"),
            ("https://shop.*", "must be an origin such as"),
            ("https://*shop.example", "must be an origin such as"),
            ("", "must be an origin such as"),
        ],
    )
    def test_what_cannot_match_is_a_mistake(self, origin: str, words: str) -> None:
        assert (origin_mistake(origin) or "").startswith(words)


class TestTypes:
    def test_a_message_of_another_type_is_refused_and_kept(self, log: MemoryLog) -> None:
        answered = asking(log, types=frozenset({"page", "screen"})).post("/v1/t", TRACK)
        assert (answered.status, answered.json()["code"]) == (400, "type_not_enabled")
        told = '"type" should be of a type that this source takes (page, screen), but it is track.'
        assert answered.json()["message"] == told
        (refusal,) = log.refusals
        assert json.loads(refusal.raw) == TRACK

    def test_in_a_batch_it_spoils_no_other(self, log: MemoryLog) -> None:
        body = {"batch": [{"type": "track", **TRACK}, {"type": "identify", "userId": "u1"}]}
        answered = asking(log, types=frozenset({"identify"})).post("/v1/b", body)
        assert (answered.status, answered.json()["accepted"]) == (200, 1)
        assert [each["code"] for each in answered.json()["rejected"]] == ["type_not_enabled"]
        assert [message["type"] for message in log.messages] == ["identify"]

    def test_other_dialects_are_held_to_it_too(self, log: MemoryLog) -> None:
        pixel(asking(log, types=frozenset({"page"})))
        assert [refusal.violations[0].code for refusal in log.refusals] == ["type_not_enabled"]

    def test_once_the_type_is_enabled_what_was_refused_can_be_released(self, log: MemoryLog) -> None:
        asking(log, types=frozenset({"page"})).post("/v1/t", TRACK)
        (refusal,) = log.refusals

        def held(policy: Policy) -> Held:
            return Held(
                digest="d",
                source="web",
                kind=refusal.kind,
                path=refusal.path,
                raw=refusal.raw,
                size=refusal.size,
                received_at_ms=int(NOON * 1000),
                policy=policy,
            )

        still = judged(held(Policy(types=frozenset({"page"}))), Limits())
        assert [each.violations[0].code for each in still.refused] == ["type_not_enabled"]
        assert len(judged(held(Policy()), Limits()).items) == 1


class TestAddresses:
    @pytest.mark.parametrize(
        ("policy", "kept"),
        [("keep", "203.0.113.77"), ("cut", "203.0.113.0"), ("drop", None)],
    )
    def test_hold_for_whoever_wrote_them(self, log: MemoryLog, policy: str, kept: str | None) -> None:
        client = asking(log, ip=policy)
        written = {"context": {"ip": "203.0.113.77"}}
        client.post("/v1/t", {**TRACK, **written})
        client.post("/v1/b", {**batch({}), **written})
        pixel(client, **{"context.ip": "203.0.113.77"})
        assert [message["context"].get("ip") for message in log.messages] == [kept] * 3

    @pytest.mark.parametrize(("policy", "kept"), [("cut", "192.0.2.0"), ("drop", None)])
    def test_hold_for_what_turnout_fills_in(self, log: MemoryLog, policy: str, kept: str | None) -> None:
        asking(log, ip=policy).post("/v1/t", {**TRACK, "context": {"direct": True}})
        assert log.messages[0]["context"].get("ip") == kept

    @pytest.mark.parametrize(
        ("asked", "kept"),
        [
            ("keep", "203.0.113.77"),
            ("stripLastOctet", "203.0.113.0"),
            ("REMOVE", None),
            ("other", "203.0.113.77"),
        ],
    )
    def test_a_client_may_ask_for_less(self, log: MemoryLog, asked: str, kept: str | None) -> None:
        message = {**TRACK, "context": {"ip": "203.0.113.77"}}
        edge(log).post("/v1/t", message, {"X-IP-Policy": asked})
        assert log.messages[0]["context"].get("ip") == kept

    def test_a_client_may_not_ask_for_more(self) -> None:
        assert stricter("drop", b"keep") == "drop"
        assert stricter("cut", b"keep") == "cut"
        assert stricter("cut", b"remove") == "drop"

    @pytest.mark.parametrize(
        ("ip", "cut"),
        [
            ("203.0.113.77", "203.0.113.0"),
            ("203.0.113.77:80", "203.0.113.0"),
            ("::ffff:203.0.113.77", "203.0.113.0"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
            ("2002:cb00:714d:1::1", "2002:cb00:7100::"),  # 6to4 of 203.0.113.77
            (SUPPRESSED, SUPPRESSED),
            ("home", None),
            (7, None),
        ],
    )
    def test_what_is_left_of_an_address_names_a_network(self, ip: object, cut: str | None) -> None:
        assert kept_of(ip, "cut") == cut

    @pytest.mark.parametrize(
        ("raw", "kept"),
        [
            (
                b'{"userId":"u1","context":{"ip":"203.0.113.77","a":1}}',
                b'{"userId":"u1","context":{"ip":"203.0.113.0","a":1}}',
            ),
            (
                b'{"userId":"u1","context":[{"ip":"203.0.113.77"}]}',
                b'{"userId":"u1","context":[{"ip":"203.0.113.77"}]}',
            ),
            (b'{ "userId" : "u1" }', b'{ "userId" : "u1" }'),
            (b"[1]", b"[1]"),
        ],
    )
    def test_hold_for_what_is_refused(self, log: MemoryLog, raw: bytes, kept: bytes) -> None:
        asking(log, ip="cut").post("/v1/t", raw)
        assert [refusal.raw for refusal in log.refusals] == [kept]

    def test_hold_for_what_is_released(self) -> None:
        raw = json.dumps({**TRACK, "context": {"ip": "203.0.113.77"}}).encode()
        held = Held(
            digest="d",
            source="web",
            kind="message",
            path="/v1/t",
            raw=raw,
            size=len(raw),
            received_at_ms=int(NOON * 1000),
            policy=Policy(ip="cut"),
        )
        (item,) = judged(held, Limits()).items
        assert json.loads(item.body)["context"]["ip"] == "203.0.113.0"


class TestWhoIsAtTheOtherEnd:
    AGENT = "Mozilla/5.0 (visitor)"

    def stored(self, log: MemoryLog, message: dict[str, Any], headers: dict[str, str] | None = None) -> dict[str, Any]:
        body = json.dumps({**TRACK, **message}).encode()
        headers = {**basic("wk_web"), "User-Agent": self.AGENT, **(headers or {})}
        answered = edge(log, trusted=["10.0.0.0/8"]).request("POST", "/v1/t", body, headers, peer="10.0.0.1")
        assert answered is not None
        assert answered.status == 200
        context: dict[str, Any] = log.messages[0]["context"]
        return context

    def test_is_nobodys_business_when_a_server_sends(self, log: MemoryLog) -> None:
        assert self.stored(log, {}, {"X-Forwarded-For": "203.0.113.7"}) == {}

    def test_is_told_of_a_message_that_comes_straight_from_a_device(self, log: MemoryLog) -> None:
        context = self.stored(log, {"context": {"direct": True}}, {"X-Forwarded-For": "203.0.113.7"})
        assert context == {"direct": True, "ip": "203.0.113.7", "userAgent": self.AGENT}

    def test_is_told_by_its_address_when_a_script_sends(self, log: MemoryLog) -> None:
        headers = {"Origin": SHOP, "X-Forwarded-For": "203.0.113.7"}
        assert self.stored(log, {}, headers) == {"ip": "203.0.113.7"}

    @pytest.mark.parametrize("direct", [False, "true", 1, None])
    def test_is_asked_only_by_direct_being_true(self, log: MemoryLog, direct: object) -> None:
        assert self.stored(log, {"context": {"direct": direct}}) == {"direct": direct}

    def test_is_what_the_message_says_if_it_says_it(self, log: MemoryLog) -> None:
        said = {"direct": True, "ip": SUPPRESSED, "userAgent": "mine"}
        assert self.stored(log, {"context": dict(said)}, {"Origin": SHOP}) == said

    def test_is_filled_where_null_is_said(self, log: MemoryLog) -> None:
        said = {"direct": True, "ip": None, "userAgent": ""}
        told = self.stored(log, {"context": said}, {"X-Forwarded-For": "203.0.113.7"})
        assert told == {"direct": True, "ip": "203.0.113.7", "userAgent": self.AGENT}

    def test_stays_untold_when_a_proxy_does_not_know(self, log: MemoryLog) -> None:
        assert self.stored(log, {}, {"Origin": SHOP, "X-Forwarded-For": "unknown"}) == {}

    def test_may_be_asked_by_a_batch_for_all_its_messages(self, log: MemoryLog) -> None:
        edge(log).post("/v1/batch", {**batch({}, {"context": {"direct": False}}), "context": {"direct": True}})
        assert [message["context"].get("ip") for message in log.messages] == ["192.0.2.1", None]


class TestRate:
    def test_what_is_too_much_is_refused_whole_and_told_when_to_come_again(self, log: MemoryLog) -> None:
        client = asking(log, rate=Rate(messages=2, burst=4))
        assert client.post("/v1/b", batch({}, {}, {})).status == 200
        answered = client.post("/v1/b", batch({}, {}, {}), {"Origin": SHOP})
        assert (answered.status, answered.json()["code"]) == (429, "rate_limited")
        assert (answered.headers["retry-after"], answered.headers["x-ratelimit-reset"]) == ("1", "1")
        assert "X-RateLimit-Reset" in answered.headers["access-control-expose-headers"]
        assert client.post("/v1/t", TRACK).status == 200, "one may still pass"
        assert client.post("/v1/t", TRACK).status == 429
        assert len(log.messages) == 4

    def test_time_makes_room(self, log: MemoryLog) -> None:
        clock = [NOON]
        client = edge(log, policies={"web": Policy(rate=Rate(messages=1, burst=2))}, now=lambda: clock[0])
        assert [client.post("/v1/t", TRACK).status for _ in range(3)] == [200, 200, 429]
        clock[0] += 1
        assert [client.post("/v1/t", TRACK).status for _ in range(2)] == [200, 429]

    def test_a_batch_larger_than_the_burst_passes_once_the_bucket_is_full(self, log: MemoryLog) -> None:
        clock = [NOON]
        client = edge(log, policies={"web": Policy(rate=Rate(messages=1, burst=2))}, now=lambda: clock[0])
        assert client.post("/v1/b", batch(*[{}] * 10)).status == 200
        answered = client.post("/v1/t", TRACK)
        assert (answered.status, answered.headers["retry-after"]) == (429, "9")
        clock[0] += 8
        assert client.post("/v1/t", TRACK).status == 429
        clock[0] += 1
        assert client.post("/v1/t", TRACK).status == 200

    def test_requests_that_only_ask_cost_nothing(self, log: MemoryLog) -> None:
        client = asking(log, rate=Rate(messages=1, burst=1))
        for _ in range(3):
            assert client.get("/sourceConfig", basic("wk_web")).status == 200
        assert client.post("/v1/track", {"userId": "u1", "event": "A"}).status == 200

    def test_nobody_is_asked_to_wait_for_longer_than_sdks_do(self, log: MemoryLog) -> None:
        client = asking(log, rate=Rate(messages=0.001))
        assert client.post("/v1/t", TRACK).status == 200
        answered = client.post("/v1/t", TRACK)
        assert (answered.headers["retry-after"], answered.headers["x-ratelimit-reset"]) == ("300", "1000")

    def test_bodies_that_cannot_be_read_count_too(self, log: MemoryLog) -> None:
        client = asking(log, rate=Rate(messages=1))
        assert client.post("/v1/t", b"{").status == 400
        assert client.post("/v1/t", b"{").status == 429
        assert len(log.refusals) == 1

    def test_holds_for_other_dialects(self, log: MemoryLog) -> None:
        client = asking(log, rate=Rate(messages=1))
        pixel(client)
        pixel(client)
        assert len(log.messages) == 1

    def test_each_source_has_its_own(self, log: MemoryLog) -> None:
        client = asking(log, rate=Rate(messages=1))
        client.post("/v1/t", TRACK)
        shop = client.post("/v1/t", TRACK, basic("wk_shop_0123456789abcdef"))
        assert (shop.status, client.post("/v1/t", TRACK).status) == (200, 429)

    def test_a_clock_that_jumps_back_neither_gives_nor_takes(self, log: MemoryLog) -> None:
        clock = [NOON]
        client = edge(log, policies={"web": Policy(rate=Rate(messages=1, burst=2))}, now=lambda: clock[0])
        client.post("/v1/t", TRACK)
        clock[0] -= 3_600
        assert [client.post("/v1/t", TRACK).status for _ in range(2)] == [200, 429]
        clock[0] += 1
        assert client.post("/v1/t", TRACK).status == 200
