"""OAuth in turnout.toml: what it means, and how its mistakes are told."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.collector.test_oauth import ec_pair, pems, rsa_pair
from tests.collector.test_turnout_toml import mistakes, read

SERVER = '[collector.oauth]\nsecret = "a secret of at least thirty-two characters"\n'


def toml(public_key: str, more: str = "", server: str = SERVER) -> str:
    client = f'{{ id = "billing", key_id = "k1", public_key = """{public_key}""" }}'
    return f'{server}[sources.web]\nwrite_keys = ["k"]\n[sources.web.oauth]\nclients = [{client}]\n{more}'


def test_a_source_may_know_clients() -> None:
    terms = read(toml(rsa_pair()[1], 'expires_in = "5m"')).policies["web"].oauth
    assert terms is not None
    assert (terms.required, terms.seconds, terms.clients[0].id, terms.clients[0].key_id) == (True, 300, "billing", "k1")


def test_the_key_may_be_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "billing.pem"
    file.write_text(ec_pair()[1])
    terms = read(toml(str(file))).policies["web"].oauth
    inline = read(toml(ec_pair()[1])).policies["web"].oauth
    assert terms is not None
    assert inline is not None
    assert terms.clients[0].fingerprint == inline.clients[0].fingerprint


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (toml("nowhere.pem"), "clients[0] public_key: names a file that cannot be read: No such file or directory"),
        (toml(rsa_pair()[0]), "clients[0] public_key: is a private key"),
        (
            toml("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"),
            "clients[0] public_key: is not a public key",
        ),
        (toml(pems(rsa.generate_private_key(65_537, 1_024))[1]), "of 1024 bits; at least 2048"),  # noqa: S505 - that is the mistake
        (toml(pems(ec.generate_private_key(ec.SECP384R1()))[1]), "is neither an RSA key nor one on the curve P-256"),
        (toml(ec_pair()[1], 'expires_in = "2d"'), "expires_in: must be between one second and a day"),
        (toml(ec_pair()[1], server=""), "[sources.web.oauth]: needs [collector.oauth] with a secret"),
        (toml(ec_pair()[1], server='[collector.oauth]\nsecret = "short"\n'), "[collector.oauth] secret: is too short"),
        (toml(ec_pair()[1], server=SERVER + 'urls = ["events"]\n'), "[collector.oauth] urls[0]: must be an address"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, mistake: str) -> None:
    (found,) = mistakes(text)
    assert mistake in found
    assert "short" not in found.replace("too short", "")
