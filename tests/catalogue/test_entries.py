from __future__ import annotations

import ast
from pathlib import Path

import pytest

from cqrs_app.installed_areas import build_registry
from cqrs_app.kernel.messages.messages import parse
from cqrs_app.kernel.registry import Area
from cqrs_app.platform.catalogue.entries import entries
from cqrs_app.platform.operators.roles import ROLES
from tests.platform.processes import PROJECT

REGISTRY = build_registry()
ENTRIES = {entry.name: entry for entry in entries(REGISTRY)}


def test_everything_is_in_it() -> None:
    assert set(ENTRIES) == {*REGISTRY.commands, *REGISTRY.queries, *REGISTRY.events}


@pytest.mark.parametrize("name", [*REGISTRY.commands, *REGISTRY.queries])
def test_every_example_can_be_used(name: str) -> None:
    message: type = REGISTRY.commands.get(name) or REGISTRY.query(name)
    parse(message, ENTRIES[name].example)


@pytest.mark.parametrize("name", [*REGISTRY.commands, *REGISTRY.queries])
def test_every_message_says_what_it_is(name: str) -> None:
    entry = ENTRIES[name]
    assert entry.label
    assert entry.summary.endswith(".")


def test_every_permission_belongs_to_a_role_or_to_the_system() -> None:
    given = set.union(*(set(rights) for rights in ROLES.values()))
    assert REGISTRY.permissions() - given <= {"history.record", "fulfilment.follow"}


@pytest.mark.parametrize("area", REGISTRY.areas, ids=lambda area: area.name)
def test_every_refusal_an_area_can_raise_is_declared(area: Area) -> None:
    folder = PROJECT / "cqrs_app" / area.name
    raised = {code for path in folder.rglob("*.py") for code in _refusals_in(path)}
    told = {(command, code) for command, codes in area.refusals.items() for code in codes}
    assert raised <= {code for _, code in told}
    assert all(code in ENTRIES[command.__name__].refusals for command, code in told)


def _refusals_in(path: Path) -> set[str]:
    """The codes that stand in `Refused("code", ...)`."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "Refused" and call.args
        if isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)
    }
