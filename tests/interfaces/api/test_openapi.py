"""The description is true: a fuzzer made from it meets no fault and nothing that is not in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import schemathesis
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
from cqrs_app.kernel.queries.bus import QueryBus
from cqrs_app.services import services_of
from tests.console import consoles_on
from tests.interfaces.api.conftest import Program, order
from tests.interfaces.web.pages.conftest import catch_up
from tests.services.stores import Templates, migrate

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


@pytest.fixture
def program_on(
    templates: Templates, tmp_path: Path, redis_url: str
) -> Iterator[Callable[[str], Program]]:
    """`program_on(kind)`: a program in front of a console with one order on such a database."""
    with ExitStack() as stack:

        def program(kind: str) -> Program:
            databases = stack.enter_context(templates.copy(kind, migrate, tmp_path / kind))
            make = stack.enter_context(consoles_on(databases, redis_url))
            console = make(api_requests_per_minute=0)
            secret = services_of(console).tokens.create("fuzz", "admin", made_by="test")
            made = Program(console.test_client(), secret)
            made.do("PlaceOrder", **order("10042"))
            catch_up(console)
            return made

        yield program


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fuzzer asks for what never comes, and would wait for it for seconds."""
    wait = QueryBus._wait

    def wait_briefly(bus: QueryBus, look: Any, seconds: float, actor: str) -> Any:
        return wait(bus, look, min(seconds, 0.01), actor)

    monkeypatch.setattr(QueryBus, "_wait", wait_briefly)


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("impatient", "postgres_server")
def test_no_request_meets_a_fault_or_an_answer_outside_the_description(
    program_on: Callable[[str], Program],
) -> None:
    """Each request goes to a console on SQLite and to one on PostgreSQL."""
    programs = [program_on(kind) for kind in ("sqlite", "postgresql")]
    apps = [program.client.application for program in programs]
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", apps[0])
    answers: dict[str, set[int]] = defaultdict(set)

    def fuzz(operation: Any) -> None:
        cases = st.one_of(*(operation.as_strategy(mode) for mode in GenerationMode))

        @settings(FUZZING)
        @given(case=cases)
        def try_out(case: Any) -> None:
            for program, app in zip(programs, apps, strict=True):
                # Inside the process, no client decompresses a response.
                headers = {**program.headers, "Accept-Encoding": "identity"}
                answer = case.call(headers=headers, app=app)
                # What is not fresh enough yet is refused for the time being, which is no fault.
                late = b'"code":"too_stale"' in answer.content
                excluded = [not_a_server_error] if late else []
                case.validate_response(answer, checks=CHECKS, excluded_checks=excluded)
                answers[operation.label].add(answer.status_code)

        try_out()

    # There is nothing to send to the description itself.
    operations = [found.ok() for found in schema.get_all_operations()]
    operations = [each for each in operations if each.label != DESCRIBES_ITSELF]
    assert {*(each.label for each in operations), DESCRIBES_ITSELF} == OPERATIONS
    for operation in operations:
        fuzz(operation)
    assert {*answers} == {each.label for each in operations}
    assert {200, 202, 400, 404, 422} <= set.union(*answers.values())
