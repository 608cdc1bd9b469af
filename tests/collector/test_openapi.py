"""The OpenAPI document is valid, and names every path and method that Turnout answers, no more."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import schemathesis
from starlette.applications import Starlette
from starlette.routing import Route

from collector.auth import NO_POLICIES
from collector.openapi.document import chapters, document
from collector.routes import ALIASES, ROUTES, UNDER
from schemas import catalog
from schemas.limits import Limits
from tests.collector import openapi_page
from tests.collector.client import KEYS, Client

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENT = document(Limits())
PATHS = DOCUMENT["paths"]


def resolved(reference: str) -> Any:
    found: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def methods(path: str) -> set[str]:
    item = PATHS[path]
    return {method.upper() for method in (resolved(item["$ref"]) if "$ref" in item else item)}


def operations() -> Iterator[tuple[str, Any]]:
    for path, item in PATHS.items():
        for method, operation in item.items():
            if method not in ("$ref", "options"):
                yield path, operation


def site(client: Client) -> Iterator[tuple[str, set[str]]]:
    """The paths that take no messages, with their methods."""
    application: Any = client.app
    starlette: Starlette = application._site
    for route in starlette.routes:
        assert isinstance(route, Route)
        yield re.sub(r":\w+}", "}", route.path), set(route.methods or ())


def answered(client: Client) -> dict[str, set[str]]:
    """Every path on which Turnout answers, with its methods but HEAD, which goes with GET, and OPTIONS."""
    takes = {path: set(route.methods) for path, route in {**ROUTES, **ALIASES}.items()}
    takes |= {route.path: set(route.methods) for _, route in UNDER}
    takes |= dict(site(client))
    return {path: methods - {"HEAD"} for path, methods in takes.items()}


def test_it_is_a_valid_document_of_openapi_3_1() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    schemathesis.openapi.from_dict(DOCUMENT).validate()


def test_its_references_lead_somewhere() -> None:
    for reference in references(DOCUMENT):
        assert resolved(reference) is not None


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_its_schemas_are_json_schemas(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(DOCUMENT["components"]["schemas"][name])


def test_every_path_and_method_that_is_answered_is_in_it(client: Client) -> None:
    missing = {path: found for path, found in answered(client).items() if path not in PATHS or found - methods(path)}
    assert missing == {}


def test_every_path_and_method_in_it_is_answered(client: Client) -> None:
    real = answered(client)
    assert {path: methods(path) for path in PATHS if methods(path) - {"OPTIONS"} != real.get(path)} == {}


def test_each_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for _, operation in operations()]
    assert len(names) == len(set(names))


def test_every_parameter_of_a_path_is_described() -> None:
    for path, operation in operations():
        named = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path))


def test_its_examples_fit_their_schemas() -> None:
    for path, operation in operations():
        for media in operation.get("requestBody", {}).get("content", {}).values():
            if "example" in media:
                schema = {**media["schema"], "components": DOCUMENT["components"]}
                found = list(jsonschema.Draft202012Validator(schema).iter_errors(media["example"]))
                assert found == [], f"the example of {path}"


def test_every_chapter_leads_to_a_page() -> None:
    for chapter in chapters(Limits()):
        page, _, place = chapter.page.partition("#")
        text = (DOCS / page).read_text()
        titles = [
            title.lower().replace(" ", "-").replace(",", "") for title in re.findall(r"^#+ (.*)", text, re.MULTILINE)
        ]
        assert not place or place in titles


def test_it_holds_the_limits_in_force() -> None:
    limits = Limits(message_bytes=1_000, body_bytes=20_000, batch_messages=30, message_id_chars=40)
    told = document(limits)
    shapes = told["components"]["schemas"]
    assert told["x-limits"] == {
        "message_bytes": 1_000,
        "body_bytes": 20_000,
        "batch_messages": 30,
        "message_id_chars": 40,
        "depth": 64,
    }
    assert shapes["batch"]["properties"]["batch"]["maxItems"] == 30
    assert shapes["common"]["$defs"]["messageId"]["maxLength"] == 40
    assert "20,000 bytes" in told["paths"]["/v1/batch"]["post"]["description"]


def test_the_schemas_in_it_are_those_that_are_published() -> None:
    for name in catalog.names():
        assert DOCUMENT["components"]["schemas"][name].keys() == catalog.schema(name).keys() - {"$schema", "$id"}


def test_it_is_served_and_follows_a_new_configuration(client: Client) -> None:
    answered = client.get("/openapi.json")
    assert (answered.status, answered.headers["content-type"]) == (200, "application/json")
    assert answered.json() == json.loads(json.dumps(DOCUMENT))
    application: Any = client.app
    application.renew(KEYS, Limits(batch_messages=7), NO_POLICIES)
    assert client.get("/openapi.json").json()["x-limits"]["batch_messages"] == 7


def test_the_list_of_schemas_leads_to_it(client: Client) -> None:
    assert client.get(client.get("/schemas/").json()["openapi"]).status == 200


def test_the_page_has_a_line_for_every_path() -> None:
    _, _, rest = openapi_page.PAGE.read_text().partition(openapi_page.BEGIN)
    words = "`python -m tests.collector.openapi_page` writes it"
    assert rest.partition(openapi_page.END)[0].strip() == openapi_page.table().strip(), words
