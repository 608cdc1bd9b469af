"""TLS from the listener to the command line: files that do not fit, renewal, and a whole `turnout up` over https."""

import socket
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from collector.config import config_of
from collector.reaching import answers, url_of
from collector.reload import Refused, fixed, reread
from collector.tls import Certificate, Tls, Unusable, check
from tests import certificates
from tests.certificates import certificate_in, pem_of
from tests.running import Running, running
from tests.waiting import eventually

BASE = '[sources.web]\nwrite_keys = ["k"]\n'


def tls_of(files: certificates.Certificate) -> Tls:
    return Tls(certificate=str(files.certificate), key=str(files.key))


def test_a_pair_of_files_makes_a_listener(tmp_path: Path) -> None:
    check(tls_of(certificate_in(tmp_path)))
    check(None)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    files = tls_of(certificate_in(tmp_path))
    (tmp_path / "turnout.key").unlink()
    with pytest.raises(Unusable, match=r"turnout\.key: cannot be read: No such file"):
        check(files)


def test_files_that_were_exchanged_are_named(tmp_path: Path) -> None:
    files = tls_of(certificate_in(tmp_path))
    with pytest.raises(Unusable, match=r"turnout\.key: holds no certificate in PEM form"):
        check(Tls(certificate=files.key, key=files.certificate))


def test_a_key_of_another_certificate_is_named(tmp_path: Path) -> None:
    files, other = tls_of(certificate_in(tmp_path)), tls_of(certificate_in(tmp_path, name="other"))
    with pytest.raises(Unusable, match=r"other\.key: is not the key of the certificate in .*turnout\.pem"):
        check(Tls(certificate=files.certificate, key=other.key))


def test_an_encrypted_key_is_refused_for_nobody_can_be_asked(tmp_path: Path) -> None:
    files = tls_of(certificate_in(tmp_path))
    secret = serialization.BestAvailableEncryption(b"secret")
    Path(files.key).write_bytes(pem_of(ec.generate_private_key(ec.SECP256R1()), secret))
    with pytest.raises(Unusable, match="is encrypted"):
        check(files)


def test_a_file_that_is_cut_off_is_told(tmp_path: Path) -> None:
    files = tls_of(certificate_in(tmp_path))
    Path(files.certificate).write_text(Path(files.certificate).read_text()[:300])
    with pytest.raises(Unusable, match=r"turnout\.pem with .*: OpenSSL refuses them"):
        check(files)


def test_a_certificate_that_is_no_good_leaves_the_old_one_in_force(tmp_path: Path) -> None:
    certificate = Certificate(tls_of(certificate_in(tmp_path)))
    other = tls_of(certificate_in(tmp_path, name="other"))
    with pytest.raises(Unusable):
        certificate.renew(Tls(certificate=other.certificate, key=str(tmp_path / "turnout.key")))
    certificate.renew(other)


def test_tls_cannot_be_switched_on_or_off_while_it_runs_but_its_files_may_be_others(tmp_path: Path) -> None:
    first, other = certificate_in(tmp_path), certificate_in(tmp_path, name="other")
    plain = config_of(BASE, "turnout.toml", {})
    one, two = (config_of(BASE + files.table(), "turnout.toml", {}) for files in (first, other))
    assert fixed(one, two) == []
    assert len(fixed(plain, one)) == len(fixed(one, plain)) == 1
    other.key.write_text("")
    with pytest.raises(Refused, match=r"turnout\.toml \[collector\] tls: .*other\.key: holds no private key"):
        reread(one, lambda: two)


def test_the_url_says_https(tmp_path: Path) -> None:
    config = config_of(BASE + certificate_in(tmp_path).table(), "turnout.toml", {})
    assert url_of(config.collector) == "https://127.0.0.1:8080"


def test_turnout_up_speaks_https_to_its_clients_and_to_its_own_commands(tmp_path: Path) -> None:
    files = certificate_in(tmp_path)
    with running(tmp_path, tls=files) as turnout:
        assert turnout.post("/v1/track", {"userId": "u", "event": "A"})[0] == 200
        sent = turnout.command("send", "track", "B", "--user", "u")
        assert (sent.returncode, sent.stdout) == (0, '200 {"success":true}\n')
        assert f"listens on {turnout.url};" in turnout.output
        assert "tls: " in turnout.command("check").stdout
        # Who speaks plain HTTP, or hangs up in the middle of the handshake, is nothing that the log should tell of.
        with socket.create_connection(("127.0.0.1", turnout.port), timeout=5) as plain:
            plain.sendall(b"GET /health/live HTTP/1.0\r\n\r\n")
            assert b"HTTP" not in plain.recv(100)
        assert answers(turnout.url)
        certificate_is_renewed_by_a_hangup(turnout, tmp_path)
        renewal_that_fails_calls_for_somebody(turnout, files)
        eventually(lambda: len(turnout.archived("web")) == 2, what="both arrived")
        assert "Traceback" not in turnout.output
        assert "SSL" not in turnout.output


def certificate_is_renewed_by_a_hangup(turnout: Running, directory: Path) -> None:
    import os
    import signal

    from tests.running import Role

    before = ssl.get_server_certificate(("127.0.0.1", turnout.port))
    fresh = certificate_in(directory)  # in place of the old files
    os.kill(turnout.pids(Role.UP)[0], signal.SIGHUP)
    eventually(
        lambda: ssl.get_server_certificate(("127.0.0.1", turnout.port)) != before, what="the new certificate is shown"
    )
    turnout.tls = fresh
    assert turnout.ready()


def renewal_that_fails_calls_for_somebody(turnout: Running, files: certificates.Certificate) -> None:
    import os
    import signal

    from tests.running import Role

    key = files.key.read_bytes()
    files.key.write_text("half a key")
    os.kill(turnout.pids(Role.UP)[0], signal.SIGHUP)
    eventually(lambda: turnout.command("status").returncode == 1, what="the refusal is an alarm")
    assert "a changed configuration was refused" in turnout.command("status").stdout
    files.key.write_bytes(key)


def test_without_usable_files_turnout_does_not_start_and_says_why(tmp_path: Path) -> None:
    files = certificate_in(tmp_path)
    (tmp_path / "turnout.toml").write_text(BASE + files.table())
    files.certificate.unlink()
    turnout = Running(tmp_path, 0, "k", {})
    ended = turnout.command("up", "--port", "9")
    assert ended.returncode == 1
    assert "turnout.toml [collector] tls: " in ended.stderr
    assert "turnout.pem: cannot be read: No such file or directory" in ended.stderr
    checked = turnout.command("check")
    assert checked.returncode == 1
    assert "BAD  tls: " in checked.stdout
    (tmp_path / "turnout.toml").write_text(BASE + certificate_in(tmp_path, days=-2).table())
    assert "ran out on" in turnout.command("check").stdout
