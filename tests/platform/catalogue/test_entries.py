from __future__ import annotations

import ast
import sys

import pytest

from cqrs_app.installed_areas import ROLES, build_registry
from cqrs_app.kernel.errors import Refusal
from cqrs_app.kernel.messages.messages import parse
from cqrs_app.kernel.registry import Area
from cqrs_app.platform.catalogue.entries import entries
from tests.processes.running import PROJECT

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
    assert REGISTRY.permissions() - given <= {
        "history.record",
        "fulfilment.follow",
        "approvals.run",
        "alerts.raise",
        "operators.record",
        "retention.record",
        "audit.record",
    }


@pytest.mark.parametrize("area", REGISTRY.areas, ids=lambda area: area.name)
def test_every_refusal_of_an_area_is_declared_by_a_command(area: Area) -> None:
    of_rules = [each for rule in area.rules.values() for each in rule.refusals]
    # Middleware may name a refusal that another area declares.
    handlers = [each for other in REGISTRY.areas for each in other.handlers.values()]
    declared = {code for handler in handlers for code in handler.refusals}
    declared |= {each.code for each in of_rules}
    packages = {aggregate.__module__.rpartition(".")[0] for aggregate in area.aggregates}
    named = {
        refusal.code
        for name, module in sys.modules.items()
        if name.rpartition(".")[0] in packages
        for refusal in vars(module).values()
        if isinstance(refusal, Refusal)
    }
    assert named <= declared


def test_rules_refuse_with_declared_refusals_only() -> None:
    folders = (PROJECT / "cqrs_app" / "areas", PROJECT / "cqrs_app" / "platform")
    raised = {
        (path.name, node.lineno)
        for folder in folders
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Refused"
        and isinstance(node.args[0], ast.Constant)
    }
    assert raised == set()


def test_a_refusal_reaches_the_catalogue_from_its_rule() -> None:
    refusals = ENTRIES["ShipOrder"].refusals
    assert refusals["not_released"] == "Its goods are not reserved, or it is not paid."
    assert refusals["more_than_left"] == "A line has less left to ship."
    assert refusals["already_shipped"].startswith("“Shipped”: nothing is left to ship.")
