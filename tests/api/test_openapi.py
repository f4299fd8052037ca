"""The description is true: a fuzzer made from it meets no fault and nothing that is not in it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cqrs_app.installed_areas import build_registry
from cqrs_app.interfaces.api.openapi import description
from tests.api.conftest import Program, order
from tests.pages.conftest import catch_up

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
FUZZING = settings(
    max_examples=7,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
DESCRIPTION = description(build_registry())
DESCRIBES_ITSELF = "GET /openapi.json"
OPERATIONS = {
    f"{method.upper()} {path}"
    for path, methods in DESCRIPTION["paths"].items()
    for method in methods
}


def test_the_description_is_valid(admin: Program) -> None:
    found = admin.client.get("/api/v1/openapi.json")
    assert found.status_code == 200
    validate(found.json)
    assert found.json == DESCRIPTION


def test_every_message_is_described() -> None:
    registry = build_registry()
    for name in registry.commands:
        assert "post" in DESCRIPTION["paths"][f"/commands/{name}"]
    for name in registry.queries:
        assert "get" in DESCRIPTION["paths"][f"/queries/{name}"]


@pytest.mark.timeout(600)
def test_no_request_meets_a_fault_or_an_answer_outside_the_description(
    make_console: Any,
) -> None:
    console: Flask = make_console(api_requests_per_minute=0)
    secret = console.extensions["tokens"].create("fuzz", "admin", made_by="test")
    program = Program(console.test_client(), secret)
    program.do("PlaceOrder", **order("10042"))
    catch_up(console)
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", console)
    answers: dict[str, set[int]] = defaultdict(set)

    @settings(FUZZING)
    @given(data=st.data())
    def fuzz(operation: Any, data: st.DataObject) -> None:
        case = data.draw(st.one_of(*(operation.as_strategy(mode) for mode in GenerationMode)))
        # Inside the process nobody unpacks an answer.
        headers = {**program.headers, "Accept-Encoding": "identity"}
        answer = case.call_and_validate(headers=headers, checks=CHECKS)
        answers[operation.label].add(answer.status_code)

    for found in schema.get_all_operations():
        # There is nothing to send to the description itself.
        if found.ok().label != DESCRIBES_ITSELF:
            fuzz(found.ok())
    assert {*answers, DESCRIBES_ITSELF} == OPERATIONS
    assert {200, 202, 400, 404, 422} <= set.union(*answers.values())
