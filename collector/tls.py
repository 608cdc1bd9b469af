"""The certificate with which the collector proves who it is, and how clients on this machine trust it."""

import ssl
from collections.abc import Callable
from pathlib import Path

import msgspec


class Tls(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Two files in PEM form. The certificate is followed by those that vouch for it, the root left out."""

    certificate: str
    key: str


class Unusable(Exception):
    """These files make no listener; the words name the file and what is wrong with it."""


class Certificate:
    """The certificate in force. Connections that are open keep the one with which they began."""

    def __init__(self, tls: Tls) -> None:
        self.context = _fresh(tls)

    def renew(self, tls: Tls) -> None:
        """Raises Unusable, and then the old one stays."""
        _fresh(tls)  # a pair that does not match would leave the context without any
        _load(self.context, tls)


def check(tls: Tls | None) -> None:
    """Raises Unusable."""
    if tls is not None:
        _fresh(tls)


def trusting(tls: Tls | None) -> ssl.SSLContext | None:
    """For who talks to the collector on this machine: this very certificate, whatever names are in it."""
    if tls is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(Path(tls.certificate).expanduser())
    except OSError as error:
        raise Unusable(f"{tls.certificate}: cannot be read: {error.strerror or error}") from error
    return context


def _fresh(tls: Tls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    _load(context, tls)
    return context


def _load(context: ssl.SSLContext, tls: Tls) -> None:
    certificate, key = _read(tls.certificate, "CERTIFICATE"), _read(tls.key, "PRIVATE KEY")
    try:
        context.load_cert_chain(certificate, key, password=_nobody_to_ask(tls.key))
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise Unusable(f"{tls.key}: is not the key of the certificate in {tls.certificate}") from error
        raise Unusable(f"{tls.certificate} with {tls.key}: OpenSSL refuses them: {error.reason or error}") from error


def _read(name: str, what: str) -> Path:
    """The file, after a look into it: OpenSSL does not say which of the two it stumbled over."""
    file = Path(name).expanduser()
    try:
        text = file.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise Unusable(f"{name}: cannot be read: {error.strerror}") from error
    if f"{what}-----" not in text:
        raise Unusable(f"{name}: holds no {what.lower()} in PEM form (-----BEGIN {what}-----)")
    return file


def _nobody_to_ask(name: str) -> Callable[[], str]:
    def ask() -> str:
        raise Unusable(f"{name}: is encrypted; Turnout has nobody to ask for the pass phrase")

    return ask
