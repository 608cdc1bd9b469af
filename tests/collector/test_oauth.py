"""Clients that prove who they are: tokens for assertions, and what a token opens."""

import functools
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from collector.app import Edge
from collector.oauth.seen import TOKENS
from collector.oauth.settings import ClientTable, OAuthServer, OAuthTable, terms_of
from collector.policy import Policy
from destinations.settings import Duration, Secret
from schemas.limits import Limits
from tests.collector.client import KEYS, NOON, Answered, Client, MemoryLog, basic, edge

SECRET = "a secret of at least thirty-two characters"
HOST = "events.example"
BATCH = {"batch": [{"type": "track", "event": "E", "userId": "u1"}], "writeKey": "wk_web"}


@functools.cache
def rsa_pair(name: str = "") -> tuple[str, str]:
    """A private key and its public key; another `name`, another pair."""
    return pems(rsa.generate_private_key(65_537, 2_048))


@functools.cache
def ec_pair() -> tuple[str, str]:
    return pems(ec.generate_private_key(ec.SECP256R1()))


def pems(private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> tuple[str, str]:
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(), public.decode()


@functools.cache
def loaded(key: str) -> Any:
    """A private key read once, for that takes long; or the text itself."""
    return load_pem_private_key(key.encode(), None) if "PRIVATE KEY" in key else key


def policy(
    *,
    clients: list[ClientTable] | None = None,
    required: bool = True,
    seconds: float = 600,
    secret: str = SECRET,
    before: str | None = None,
    urls: tuple[str, ...] = (),
) -> Policy:
    known = clients or [ClientTable(id="c1", key_id="k1", public_key=rsa_pair()[1])]
    server = OAuthServer(secret=Secret(secret), secret_before=Secret(before) if before else None, urls=list(urls))
    return Policy(oauth=terms_of(OAuthTable(clients=known, required=required, expires_in=Duration(seconds)), server))


def assertion(*, key: str = "", algorithm: str = "RS256", kid: str | None = "k1", **claims: Any) -> str:
    usual = {"iss": "c1", "sub": "c1", "aud": f"http://{HOST}", "iat": NOON - 5, "exp": NOON + 55, "jti": "j1"}
    said = {name: value for name, value in {**usual, **claims}.items() if value is not None}
    return jwt.encode(said, loaded(key or rsa_pair()[0]), algorithm=algorithm, headers={"kid": kid} if kid else {})


def form(signed: str, **fields: str) -> bytes:
    usual = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": signed,
        "scope": "tracking_api:write",
    }
    # As SDKs write it: colons stay as they are.
    return urlencode({**usual, **fields}, safe=":").encode()


def asked(client: Client, body: bytes, path: str = "/token") -> Answered:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Host": HOST}
    answered = client.request("POST", path, body, headers)
    assert answered is not None
    return answered


def token(client: Client, **said: Any) -> str:
    answered = asked(client, form(assertion(**said)))
    assert answered.status == 200, answered.body
    found: str = answered.json()["access_token"]
    return found


def sent(client: Client, bearer: str | None, batch: object = BATCH) -> Answered:
    return client.post("/v1/batch", batch, {"Authorization": "" if bearer is None else f"Bearer {bearer}"})


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def client(log: MemoryLog) -> Client:
    return edge(log, policies={"web": policy()})


@pytest.mark.parametrize("path", ["/token", "//token", "/token/", "/v1/token"])
def test_a_client_gets_a_token_for_its_assertion(client: Client, path: str) -> None:
    answered = asked(client, form(assertion()), path)
    told = answered.json()
    assert (answered.status, told["token_type"], told["expires_in"], told["scope"]) == (
        200,
        "Bearer",
        600,
        "tracking_api:write",
    )
    assert answered.headers["cache-control"] == "no-store"
    assert "secret" not in told["access_token"]


def test_the_token_lets_messages_in(client: Client, log: MemoryLog) -> None:
    assert sent(client, token(client)).json() == {"success": True}
    assert log.items[0].source == "web"


def test_a_key_on_the_curve_p256_will_do(log: MemoryLog) -> None:
    private, public = ec_pair()
    client = edge(log, policies={"web": policy(clients=[ClientTable(id="c1", public_key=public)])})
    assert sent(client, token(client, key=private, algorithm="ES256")).status == 200


@pytest.mark.parametrize(
    "said",
    [
        {"aud": f"https://{HOST}/"},
        {"aud": f"https://{HOST}/token"},
        {"aud": [f"http://{HOST}", "elsewhere"]},
        {"iss": None},
        {"iss": f"https://{HOST}"},
        {"kid": None},
        {"exp": NOON - 30},
        {"iat": NOON + 30},
        {"exp": NOON + 55.25, "iat": NOON - 5.75},
    ],
)
def test_what_sdks_and_their_clocks_make_of_an_assertion_is_taken(client: Client, said: dict[str, Any]) -> None:
    assert asked(client, form(assertion(**said))).status == 200


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        ({"exp": NOON - 61}, "invalid_request", "Token is expired"),
        ({"iat": NOON + 61}, "invalid_request", "Token used before issued"),
        ({"nbf": NOON + 61}, "invalid_request", "Token used before issued"),
        ({"exp": NOON + 100_000}, "invalid_request", "ahead"),
        ({"exp": None}, "invalid_request", "`exp`"),
        ({"exp": "soon"}, "invalid_request", "`exp`"),
        ({"jti": None}, "invalid_request", "`jti`"),
        ({"jti": "j" * 201}, "invalid_request", "`jti`"),
        ({"aud": "https://elsewhere.example"}, "invalid_client", "`aud`"),
        ({"aud": None}, "invalid_client", "`aud`"),
        ({"iss": "c2"}, "invalid_client", "`iss`"),
        ({"sub": "c2"}, "invalid_client", "not known"),
        ({"sub": None}, "invalid_client", "not known"),
        ({"kid": "k2"}, "invalid_client", "not known"),
        ({"key": rsa_pair("other")[0]}, "invalid_client", "not known"),
        ({"key": ec_pair()[0], "algorithm": "ES256"}, "invalid_client", "not known"),
        ({"key": SECRET, "algorithm": "HS256"}, "invalid_client", "not known"),
    ],
)
def test_an_assertion_that_proves_nothing_gets_nothing(
    client: Client, said: dict[str, Any], error: str, words: str
) -> None:
    answered = asked(client, form(assertion(**said)))
    told = answered.json()
    assert (answered.status, told["error"], told["code"]) == (400, error, error)
    assert words in told["error_description"]
    assert answered.headers["cache-control"] == "no-store"


def test_an_assertion_without_a_signature_proves_nothing(client: Client) -> None:
    unsigned = jwt.encode({"sub": "c1"}, "", algorithm="none")
    assert asked(client, form(unsigned)).json()["error"] == "invalid_client"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "invalid_request"),
        (b"\xff=1", "invalid_request"),
        (b'{"grant_type":"client_credentials"}', "invalid_request"),
        (form("x", grant_type="password"), "unsupported_grant_type"),
        (form("x", client_assertion_type="basic"), "invalid_request"),
        (form("x", scope="admin"), "invalid_scope"),
        (form(""), "invalid_request"),
        (form("not.a.jwt"), "invalid_request"),
        (form("x" * 40_000), None),
    ],
)
def test_a_form_that_is_none_is_told_what_it_should_be(client: Client, body: bytes, error: str | None) -> None:
    answered = asked(client, body)
    assert answered.status == 400
    assert error is None or answered.json()["error"] == error


def test_an_assertion_is_good_once(client: Client) -> None:
    signed = assertion()
    assert asked(client, form(signed)).status == 200
    assert (asked(client, form(signed)).status, asked(client, form(assertion(jti="j2"))).status) == (400, 200)


def test_a_client_that_asks_without_end_is_told_when_to_come_again(client: Client) -> None:
    for number in range(TOKENS):
        assert asked(client, form(assertion(jti=f"n{number}"))).status == 200
    answered = asked(client, form(assertion(jti="last")))
    assert (answered.status, answered.headers["x-ratelimit-reset"], answered.headers["retry-after"]) == (
        429,
        "60",
        "60",
    )
    assert answered.json()["error"] == "rate_limited"


def test_where_the_addresses_are_named_another_host_is_not_asked(log: MemoryLog) -> None:
    client = edge(log, policies={"web": policy(urls=("https://right.example",))})
    assert asked(client, form(assertion())).json()["error"] == "invalid_client"
    assert asked(client, form(assertion(aud="https://right.example/"))).status == 200


def test_where_no_source_knows_clients_there_is_no_such_path(log: MemoryLog) -> None:
    assert asked(edge(log), form(assertion())).status == 404


@pytest.mark.parametrize("path", ["/token", "/v1/token"])
def test_a_token_is_posted_for(client: Client, path: str) -> None:
    assert client.get(path).status == 405


# what a token opens


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/track", "/v1/pixel/track", "/api/s/track"])
def test_a_source_that_requires_a_token_takes_nothing_without(client: Client, log: MemoryLog, path: str) -> None:
    answered = client.post(path, {"event": "E", "userId": "u1"})
    if path != "/v1/pixel/track":
        assert (answered.status, answered.json()["code"]) == (401, "token_missing")
    assert log.puts == 0


def test_a_source_that_does_not_takes_the_key_alone_and_looks_at_a_token_that_comes(log: MemoryLog) -> None:
    client = edge(log, policies={"web": policy(required=False)})
    assert client.post("/v1/batch", BATCH).status == 200
    assert sent(client, "wrong").status == 401


def test_a_source_without_clients_looks_at_no_token(client: Client) -> None:
    assert sent(client, "whatever", {**BATCH, "writeKey": "wk_shop_0123456789abcdef"}).status == 200


def test_an_expired_token_is_answered_so_that_sdks_get_another_one(log: MemoryLog) -> None:
    client = edge(log, policies={"web": policy(seconds=0)})
    answered = sent(client, token(client))
    assert (answered.status, answered.json()["code"]) == (511, "token_expired")
    assert log.puts == 0


@pytest.mark.parametrize(
    "bearer",
    [
        "",
        "x.y.z",
        jwt.encode({"sub": "c1", "key": "k", "exp": NOON + 60, "aud": "turnout"}, "another secret of thirty-two bytes"),
        jwt.encode({"sub": "c1", "key": "k", "exp": NOON + 60, "aud": "turnout"}, "", algorithm="none"),
        jwt.encode({"exp": NOON + 60, "aud": "turnout"}, SECRET),
        jwt.encode({"sub": "c1", "key": "k", "exp": NOON + 60}, SECRET),
    ],
)
def test_a_token_that_is_not_ours_opens_nothing(client: Client, log: MemoryLog, bearer: str) -> None:
    answered = sent(client, bearer)
    assert (answered.status, answered.json()["code"]) == (401, "invalid_token")
    assert log.puts == 0


def test_a_token_fits_the_source_of_the_key(log: MemoryLog) -> None:
    other = ClientTable(id="c2", key_id="k1", public_key=rsa_pair("other")[1])
    client = edge(log, policies={"web": policy(), "shop": policy(clients=[other])})
    answered = sent(client, token(client), {**BATCH, "writeKey": "wk_shop_0123456789abcdef"})
    assert (answered.status, answered.json()["code"]) == (401, "token_of_another_source")


def test_a_client_of_two_sources_needs_one_token(log: MemoryLog) -> None:
    client = edge(log, policies={"web": policy(), "shop": policy(seconds=60)})
    bearer = token(client)
    assert sent(client, bearer).status == 200
    assert sent(client, bearer, {**BATCH, "writeKey": "wk_shop_0123456789abcdef"}).status == 200
    assert asked(client, form(assertion(jti="j2"))).json()["expires_in"] == 60


def test_two_clients_of_one_name_do_not_stand_in_for_each_other(log: MemoryLog) -> None:
    namesake = ClientTable(id="c1", key_id="k1", public_key=rsa_pair("other")[1])
    client = edge(log, policies={"web": policy(), "shop": policy(clients=[namesake])})
    bearer = token(client, key=rsa_pair("other")[0])
    assert sent(client, bearer).json()["code"] == "token_of_another_source"
    assert sent(client, bearer, {**BATCH, "writeKey": "wk_shop_0123456789abcdef"}).status == 200


def test_a_token_ends_with_the_key_by_which_it_was_got(log: MemoryLog) -> None:
    bearer = token(edge(log, policies={"web": policy()}))
    fresh = ClientTable(id="c1", key_id="k1", public_key=rsa_pair("other")[1])
    assert sent(edge(log, policies={"web": policy(clients=[fresh])}), bearer).status == 401


def test_a_secret_may_be_changed_without_a_gap(log: MemoryLog) -> None:
    bearer = token(edge(log, policies={"web": policy()}))
    fresh = "another secret of at least thirty-two characters"
    assert sent(edge(log, policies={"web": policy(secret=fresh, before=SECRET)}), bearer).status == 200
    assert sent(edge(log, policies={"web": policy(secret=fresh)}), bearer).status == 401


def test_the_key_in_a_header_needs_a_token_as_well(client: Client) -> None:
    bearer = token(client)
    by_header = {"X-Write-Key": "wk_web", "Authorization": f"Bearer {bearer}"}
    assert client.post("/v1/track", {"event": "E", "userId": "u1"}, by_header).status == 200
    assert client.post("/v1/track", {"event": "E", "userId": "u1"}, basic("wk_web")).status == 401


def test_a_change_of_the_configuration_is_in_force_at_once(client: Client) -> None:
    bearer = token(client)
    app = client.app
    assert isinstance(app, Edge)
    app.renew(KEYS, Limits(), {"web": policy(clients=[ClientTable(id="c2", public_key=rsa_pair("other")[1])])})
    assert asked(client, form(assertion(jti="j2"))).json()["error"] == "invalid_client"
    assert sent(client, bearer).status == 401
    assert asked(client, form(assertion(jti="j3", key=rsa_pair("other")[0], iss="c2", sub="c2"))).status == 200
    app.renew(KEYS, Limits())
    assert asked(client, form(assertion(jti="j4"))).status == 404
    assert client.post("/v1/batch", BATCH).status == 200
