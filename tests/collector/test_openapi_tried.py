"""Every route of the OpenAPI document is tried with requests that fit it and requests that do not."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from collector.openapi.document import ELSEWHERE
from tests.collector.client import MemoryLog, basic, edge

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
KEYED = {**basic("wk_web"), "x-api-key": "wk_web", "openpanel-client-id": "wk_web"}
CONFIG = schemathesis.Config.from_dict({"analysis": {"constants": {"enabled": False}}})  # looking for them takes 10 s
SCHEMA = schemathesis.openapi.from_asgi("/openapi.json", edge(MemoryLog()).app, config=CONFIG)
FOUND: list[Any] = list(SCHEMA.get_all_operations())
OPERATIONS = [found.ok() for found in FOUND if ELSEWHERE not in found.ok().definition.raw["tags"]]
ASKED = [one for one in OPERATIONS if one.body or one.query or one.path_parameters]
TRIES = [
    *((operation, GenerationMode.POSITIVE) for operation in OPERATIONS),
    # What asks for nothing cannot be asked wrongly.
    *((operation, GenerationMode.NEGATIVE) for operation in ASKED),
]


@pytest.mark.parametrize(("operation", "mode"), TRIES, ids=lambda value: getattr(value, "label", None))
def test_it_answers_as_described(operation: Any, mode: GenerationMode) -> None:
    cases = operation.as_strategy(generation_mode=mode)

    @settings(
        max_examples=5,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def attempt(case: Any) -> None:
        case.call_and_validate(headers=KEYED, checks=CHECKS)

    attempt()
