"""One Turnout for all examples, and a look into the profiles that they end in."""

from collections.abc import Iterator

import pytest

from tests.running import Running, running
from tests.seeds.profiles import Profiles, profiles_of

TOKEN = "a-token-to-ask-with"
SOURCES = f"""
[api]
tokens = ["{TOKEN}"]

[sources.dopt]
write_keys = ["users-key", "HNWvcT78tyTwygnbzU6SW", "$USERS_API_KEY"]

[sources.segment]
write_keys = ["segment-key"]

[sources.openpanel]
write_keys = ["openpanel-key"]

[sources.attached]
write_keys = ["attached-key"]
attach_groups = true
"""
"""The keys as the documents have them; one prints a variable where a shell does not fill it in."""


@pytest.fixture(scope="package")
def turnout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("seeds"), SOURCES, environment={"USERS_API_KEY": "users-key"}) as started:
        yield started


@pytest.fixture(scope="package")
def profiles(turnout: Running) -> Iterator[Profiles]:
    with profiles_of(turnout, token=TOKEN) as opened:
        yield opened
