"""Whatever is asked with a good token is answered as the OpenAPI document says, never with a 500."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.types import ASGIApp

from collector.openapi import profiles
from schemas.limits import Limits
from tests.collector.client import basic
from tests.collector.profiles.people import TOKEN, Given
from tests.collector.profiles.test_profile_api import ACME, ANN
from tests.collector.test_openapi_tried import CONFIG

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
NAMES = [operation.name for operation in profiles.chapter(Limits()).operations]
KNOWN = {"collection": "users", "space": "any", "identifier": "user_id:ann"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ASGIApp]:
    some = Given(Path(tmp_path_factory.mktemp("profiles")))
    some.say(ANN, ACME, {"type": "track", "userId": "ann", "event": "E"})
    yield some.api().app
    some.close()


@pytest.fixture(scope="module")
def schema(app: ASGIApp) -> Any:
    return schemathesis.openapi.from_asgi("/openapi.json", app, config=CONFIG)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "odd"])
@pytest.mark.parametrize("name", NAMES)
def test_every_question_is_answered_as_described(schema: Any, name: str, mode: GenerationMode) -> None:
    operation = schema.find_operation_by_id(name)

    @settings(
        max_examples=4,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def attempt(case: Any) -> None:
        case.call_and_validate(headers=basic(TOKEN), checks=CHECKS)
        case.path_parameters = {part: KNOWN[part] for part in case.path_parameters}
        answered = case.call_and_validate(headers=basic(TOKEN), checks=CHECKS)
        assert answered.status_code in (200, 400)

    attempt()
