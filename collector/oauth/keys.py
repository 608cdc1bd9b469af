"""Read a client's public key, and say what it can check."""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

PublicKey = RSAPublicKey | EllipticCurvePublicKey

FEWEST_BITS = 2_048
"""Of an RSA key: what is shorter can be broken."""


class BadKey(ValueError):
    """No public key that assertions may be checked with."""


def public_key(pem: str) -> PublicKey:
    """Raises BadKey."""
    if "PRIVATE KEY" in pem:
        raise BadKey("is a private key, which only the client may have: the public one belongs here")
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise BadKey("is not a public key in PEM form (-----BEGIN PUBLIC KEY-----)") from None
    match key:
        case RSAPublicKey() if key.key_size >= FEWEST_BITS:
            return key
        case RSAPublicKey():
            raise BadKey(f"is an RSA key of {key.key_size} bits; at least {FEWEST_BITS} are needed")
        case EllipticCurvePublicKey() if isinstance(key.curve, SECP256R1):
            return key
        case _:
            raise BadKey("is neither an RSA key nor one on the curve P-256")


def algorithms(key: PublicKey) -> list[str]:
    """Those that fit the key: which one is used must not be the choice of whoever signs."""
    return ["RS256", "RS384", "RS512"] if isinstance(key, RSAPublicKey) else ["ES256"]


def mistake(pem: str) -> str | None:
    """What is wrong with a configured key; None when it is a good one."""
    try:
        public_key(pem)
    except BadKey as error:
        return str(error)
    return None
