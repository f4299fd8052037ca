from __future__ import annotations

import itertools

import pytest

from cqrs_app.installed_areas import ROLES
from cqrs_app.platform.operators.roles import system_actor

ADDED: dict[str, str] = {
    "viewer": """
        approvals.view customers.view expenses.view fulfilment.view inventory.view macros.view
        orders.view payments.view views.view
    """,
    "operator": """
        approvals.request approvals.sign
        assignments.assign batches.run queue.work commands.view customers.manage
        expenses.sign expenses.sign_administration expenses.sign_pre_approver expenses.submit
        inventory.receive orders.address orders.approve
        orders.assign orders.billing_address orders.cancel_return orders.deliver orders.hold
        orders.note orders.place orders.receive_return orders.release orders.return orders.ship
        orders.attach orders.tag payments.authorise
        payments.capture macros.save views.save
    """,
    "supervisor": """
        alerts.manage alerts.view
        credit_notes.record customers.deactivate customers.merge events.view exports.run
        expenses.pay expenses.sign_budget_owner expenses.sign_supervisor
        failures.manage failures.view fulfilment.manage
        imports.run inventory.adjust inventory.manage inventory.reserve orders.cancel
        orders.cancel_remaining orders.change_lines payments.move
        orders.reject orders.remove_attachment payments.record payments.refund payments.void
        projections.retry system.view macros.share views.share webhooks.view
    """,
    "admin": """
        alerts.configure approvals.manage approvals.override audit.view
        batches.end customers.erase demo.remove expenses.sign_director operators.manage
        payments.answer projections.manage scim.use
        tokens.manage webhooks.manage
    """,
}
"""What each role may do beyond the one before it."""


def test_each_role_may_do_exactly_this() -> None:
    permissions: set[str] = set()
    for role, added in ADDED.items():
        permissions |= set(added.split())
        assert ROLES[role] == permissions, role
    assert list(ROLES) == list(ADDED)


def test_each_role_may_do_what_the_one_before_may_and_more() -> None:
    ranked = list(ROLES.values())
    assert list(ROLES) == ["viewer", "operator", "supervisor", "admin"]
    assert all(less < more for less, more in itertools.pairwise(ranked))


def test_a_viewer_changes_nothing() -> None:
    assert all(permission.endswith(".view") for permission in ROLES["viewer"])


@pytest.mark.parametrize("permission", ["orders.cancel", "orders.reject", "credit_notes.record"])
def test_what_is_costly_needs_a_supervisor(permission: str) -> None:
    assert permission not in ROLES["operator"]
    assert permission in ROLES["supervisor"]


def test_no_person_writes_history() -> None:
    assert not any("history.record" in permissions for permissions in ROLES.values())


def test_a_system_operator_may_do_what_it_is_given_and_no_more() -> None:
    importer = system_actor("importer", "history.record", "orders.place")
    assert importer.permissions == {"history.record", "orders.place"}
    with pytest.raises(ValueError, match="mia"):
        system_actor("mia", "history.record")
