"""Every role at every route, command and query: each is let in where the tables say so, and nowhere
else."""

from __future__ import annotations

from collections.abc import Iterator

from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.messages.fields import hints_of, required_of
from cqrs_app.platform.catalogue.examples import example_of
from tests.attack.outcome import Outcome
from tests.attack.plan import Plan
from tests.attack.target import Target, path_of
from tests.interfaces.web.pages.test_routes import PUBLIC, WHO, addresses

NOBODY = "nobody"
API = "/api/v1"


def run(target: Target, plan: Plan) -> Iterator[Outcome]:
    for attack in (pages, forms, posts, api):
        yield attack(target)


def pages(target: Target) -> Outcome:
    """Pages of things there are, by the table of the tests."""
    outcome = Outcome("roles × pages")
    for role in (NOBODY, *ROLES):
        visitor = target.anyone() if role == NOBODY else target.operator(role)
        for endpoint, address in addresses(target.app).items():
            status = visitor.get(address).status
            if role == NOBODY:
                expected: tuple[int, ...] = (303,)
            else:
                expected = (200, 404) if WHO[endpoint] in ROLES[role] else (403,)
            outcome.expect(status in expected, f"{role} at {address}: {status}")
    return outcome


def forms(target: Target) -> Outcome:
    """The form, the effects and the sending of every command, without what would make it valid."""
    outcome = Outcome("roles × commands, by forms")
    for role in (NOBODY, *ROLES):
        visitor = target.anyone() if role == NOBODY else target.operator(role)
        for name, cls in target.kernel.registry.commands.items():
            may = role != NOBODY and cls.declaration.permission in ROLES[role]
            given = {} if required_of(cls) else dict.fromkeys(hints_of(cls), "\0")
            found = (
                visitor.get(f"/commands/{name}").status,
                visitor.submit(f"/commands/{name}", **given).status,
                visitor.submit(f"/commands/{name}/effects").status,
            )
            refused = ((303, 401, 303), (303, 403, 403)) if role == NOBODY else ((403, 403, 403),)
            outcome.expect(
                found == (200, 422, 200) if may else found in refused, f"{role}: {name}: {found}"
            )
    return outcome


def posts(target: Target) -> Outcome:
    """Everything else that is sent, by those who lack the permission."""
    outcome = Outcome("roles × other actions of pages")
    rules = [each for each in target.app.url_map.iter_rules() if "POST" in (each.methods or ())]
    for role in (NOBODY, *ROLES):
        visitor = target.anyone() if role == NOBODY else target.operator(role)
        allowed = {PUBLIC, "signed", "each command"} | set(ROLES.get(role, {"signed in"}))
        for rule in rules:
            who = WHO.get(rule.endpoint, PUBLIC)
            if who in allowed or (who == "signed in") == (role != NOBODY):
                continue
            path = path_of(rule, lambda name: name)
            status = visitor.submit(path).status
            outcome.expect(status in (303, 401, 403, 404), f"{role} sends {path}: {status}")
    return outcome


def api(target: Target) -> Outcome:
    """Every command, as its own example, and every query, by a token of each role."""
    outcome = Outcome("roles × commands and queries, by the API")
    registry = target.kernel.registry
    for role in (NOBODY, *ROLES):
        program = target.program(role)
        permissions = ROLES.get(role, frozenset())
        denied = 401 if role == NOBODY else 403
        for name, cls in registry.commands.items():
            if cls.declaration.permission in permissions:
                continue  # it would be carried out; the hostile values are sent by who may
            status = program.post_json(f"{API}/commands/{name}", example_of(cls)).status
            outcome.expect(status == denied, f"{role} sends {name}: {status}")
        for name, query in registry.queries.items():
            may = query.declaration.permission in permissions
            status = program.get(f"{API}/queries/{name}").status
            outcome.expect(
                status in (200, 404, 422) if may else status == denied, f"{role}: {name}: {status}"
            )
    return outcome
