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


def can_be_wrong(operation: Any) -> bool:
    """Whether a request can be made that does not fit: not where any text and any body does."""
    described = operation.definition.raw
    bodies = described.get("requestBody", {}).get("content", {}).values()
    return any(body["schema"] for body in bodies) or any(one["in"] == "query" for one in described.get("parameters", ()))


TRIES = [
    *((operation, GenerationMode.POSITIVE) for operation in OPERATIONS),
    *((operation, GenerationMode.NEGATIVE) for operation in OPERATIONS if can_be_wrong(operation)),
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
