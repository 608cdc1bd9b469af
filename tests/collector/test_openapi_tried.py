"""Every route of the OpenAPI document is tried with requests that fit it and requests that do not."""

from collections.abc import Callable
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
from starlette.types import ASGIApp

from collector.log_port import LogFull
from collector.openapi.document import ELSEWHERE
from collector.policy import Policy, Rate
from tests.collector.client import KEYS, MemoryLog, basic, edge

DESCRIBED: list[Any] = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CHECKS = [not_a_server_error, *DESCRIBED]
JSON = "application/json"
ORIGIN = {"Origin": "https://shop.example"}
CONFIG = schemathesis.Config.from_dict({"analysis": {"constants": {"enabled": False}}})  # looking for them takes 10 s
SCHEMA = schemathesis.openapi.from_asgi("/openapi.json", edge(MemoryLog()).app, config=CONFIG)
FOUND: list[Any] = list(SCHEMA.get_all_operations())
OPERATIONS = [found.ok() for found in FOUND if ELSEWHERE not in found.ok().definition.raw["tags"]]


def keyed(key: str) -> dict[str, str]:
    """A key in the place of each dialect."""
    return {**basic(key), "x-api-key": key, "openpanel-client-id": key}


def can_be_wrong(operation: Any) -> bool:
    """Whether a request can be made that does not fit: not where any text and any body does."""
    described = operation.definition.raw
    bodies = described.get("requestBody", {}).get("content", {}).values()
    return any(body["schema"] for body in bodies) or any(
        one["in"] == "query" for one in described.get("parameters", ())
    )


def takes_messages(operation: Any) -> bool:
    asked = operation.definition.raw["security"]
    return bool(operation.method == "post" and asked != [{}] and not asks_for_a_token(operation))


def asks_for_a_token(operation: Any) -> bool:
    """Of the API: a write key opens nothing there."""
    return bool({"api_bearer": []} in operation.definition.raw["security"])


TRIES = [
    *((operation, GenerationMode.POSITIVE) for operation in OPERATIONS),
    *((operation, GenerationMode.NEGATIVE) for operation in OPERATIONS if can_be_wrong(operation)),
]
POSTS = [operation for operation in OPERATIONS if takes_messages(operation)]


@pytest.mark.parametrize(("operation", "mode"), TRIES, ids=lambda value: getattr(value, "label", None))
def test_it_answers_as_described(operation: Any, mode: GenerationMode) -> None:
    @settings(
        max_examples=3 if mode is GenerationMode.POSITIVE else 2,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def attempt(case: Any) -> None:
        case.headers.pop("Content-Encoding", None)  # the body is not compressed
        answered = case.call_and_validate(headers=keyed("wk_web"), checks=CHECKS)
        if mode is GenerationMode.POSITIVE and case.media_type == JSON and not asks_for_a_token(operation):
            assert answered.status_code in (200, 202), "what fits is taken"

    attempt()


class Away(MemoryLog):
    def __init__(self) -> None:
        super().__init__()
        self.failure = LogFull(7)


class Broken(MemoryLog):
    def __init__(self) -> None:
        super().__init__()
        self.failure = RuntimeError("a bug")


def asking(policy: Policy) -> ASGIApp:
    return edge(MemoryLog(), policies=dict.fromkeys(KEYS, policy)).app


TROUBLES: dict[str, tuple[Callable[[], ASGIApp], dict[str, str], int]] = {
    "an unknown key": (lambda: edge(MemoryLog()).app, keyed("nobody"), 401),
    "another site": (lambda: asking(Policy(origins=())), {**keyed("wk_web"), **ORIGIN}, 403),
    "a bug": (lambda: edge(Broken()).app, keyed("wk_web"), 500),
    "a full log": (lambda: edge(Away()).app, keyed("wk_web"), 503),
}


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("operation", POSTS, ids=lambda operation: operation.label)
def test_trouble_is_told_as_described(operation: Any, trouble: str) -> None:
    app, headers, status = TROUBLES[trouble]
    answered = example(operation).call_and_validate(app=app(), headers=headers, checks=DESCRIBED)
    assert answered.status_code == status


@pytest.mark.parametrize("operation", POSTS, ids=lambda operation: operation.label)
def test_too_many_messages_are_told_as_described(operation: Any) -> None:
    app = asking(Policy(rate=Rate(messages=1)))
    first, second = (
        example(operation).call_and_validate(app=app, headers=keyed("wk_web"), checks=DESCRIBED) for _ in range(2)
    )
    assert first.status_code in (200, 202)
    assert second.status_code == 429


def example(operation: Any) -> Any:
    """A request as the document shows it."""
    body = operation.definition.raw["requestBody"]["content"][JSON]["example"]
    return operation.Case(body=body, media_type=JSON, path_parameters={"identifier": "u1"})
