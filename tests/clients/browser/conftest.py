"""One browser, one Turnout and one site for all cases, which play at the same time."""

from collections.abc import Iterator

import pytest

from tests.certificates import Certificate, certificate_in
from tests.clients.browser import chromium
from tests.clients.browser.chromium import Browser
from tests.clients.browser.stage import Site, site

pytest.register_assert_rewrite(*(f"tests.clients.browser.{name}" for name in ("bundled", "refused", "segment")))


@pytest.fixture(scope="package")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate_in(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="package")
def browser(certificate: Certificate) -> Iterator[Browser]:
    with chromium.installed(certificate.fingerprint()) as started:
        yield started


@pytest.fixture(scope="package")
def website(certificate: Certificate) -> Iterator[Site]:
    with site(certificate) as opened:
        yield opened
