"""Every route by every role: a route that is not in the table below fails."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.messages.fields import hints_of, required_of
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.messages.permissions import Role
from cqrs_app.platform.operators.commands import ChangeOperatorRole, DefineRole
from cqrs_app.services import services_of
from tests.console import MakeConsole
from tests.interfaces.web.pages.conftest import catch_up, client_in, order_in

NO_FAILURE = "0" * 12
NO_IMPORT = "00000000-0000-4000-8000-000000000000"
PUBLIC = "public"
SIGNED_IN = "signed in"
UNUSABLE = (
    *("after", "before", "sort", "descending", "since", "until", "at", "position", "version"),
    *("view", "show", "status", "name", "last", "order", "sku", "stream", "day_from", "idle_days"),
)
"""Parameters of pages, to be given values that none of them takes."""
WHO = {
    "static": PUBLIC,
    "web.healthz": PUBLIC,
    "web.readyz": PUBLIC,
    "web.prometheus": PUBLIC,
    "web.sign_in": PUBLIC,
    "web.second_step": PUBLIC,
    "web.sign_in_link": PUBLIC,
    "web.passkey_options": PUBLIC,
    "web.provider_start": PUBLIC,
    "web.provider_callback": PUBLIC,
    "web.provider_logout": PUBLIC,
    "web.sign_out": SIGNED_IN,
    "web.confirm_identity": SIGNED_IN,
    "web.second_factor": SIGNED_IN,
    "web.authenticator": SIGNED_IN,
    "web.authenticator_remove": SIGNED_IN,
    "web.passkey_new": SIGNED_IN,
    "web.passkey_new_options": SIGNED_IN,
    "web.passkey_remove": SIGNED_IN,
    "web.recovery_codes": SIGNED_IN,
    "web.end_session": SIGNED_IN,
    "web.end_other_sessions": SIGNED_IN,
    "web.banners": SIGNED_IN,
    "web.account": SIGNED_IN,
    "web.account_password": SIGNED_IN,
    "web.provider_link": SIGNED_IN,
    "web.account_shortcuts": SIGNED_IN,
    "web.account_list": SIGNED_IN,
    "web.search": SIGNED_IN,
    "web.home": "orders.view",
    "web.home_panel": "orders.view",
    "web.shift": "commands.view",
    "web.offer_shift": SIGNED_IN,
    "web.remove_demo": "demo.remove",
    "web.demo_removed": "demo.remove",
    "web.freshness": SIGNED_IN,
    "web.orders": "orders.view",
    "web.orders_changes": "orders.view",
    "web.order": "orders.view",
    "web.order_now": "orders.view",
    "web.claim": "queue.work",
    "web.release": "queue.work",
    "web.queue_start": "queue.work",
    "web.queue_next": "queue.work",
    "web.queue_close": "queue.work",
    "web.queue_after": SIGNED_IN,
    "web.workload": "orders.view",
    "web.notifications": SIGNED_IN,
    "web.notifications_read": SIGNED_IN,
    "web.notification_open": SIGNED_IN,
    "web.order_at": "orders.view",
    "web.order_at_version": "orders.view",
    "web.print_orders": "orders.view",
    "web.order_attachments": "orders.view",
    "web.attachment": "orders.view",
    "web.attach_file": "orders.attach",
    "web.customers": "customers.view",
    "web.accounts": "customers.view",
    "web.customer": "customers.view",
    "web.credit_notes": "customers.view",
    "web.refunded_orders": "orders.view",
    "web.reports": "orders.view",
    "web.fulfilments": "fulfilment.view",
    "web.fulfilment": "fulfilment.view",
    "web.fulfilment_now": "fulfilment.view",
    "web.products": "inventory.view",
    "web.product": "inventory.view",
    "web.product_now": "inventory.view",
    "web.past": "events.view",
    "web.payments": "payments.view",
    "web.payment": "payments.view",
    "web.payment_now": "payments.view",
    "web.ledger": "payments.view",
    "web.expenses": "expenses.view",
    "web.expense_flow": "expenses.view",
    "web.expense": "expenses.view",
    "web.expense_now": "expenses.view",
    "web.payment_callback": "signed",
    "web.command_log": "commands.view",
    "web.command": "commands.view",
    "web.command_trace": "commands.view",
    "web.export": "exports.run",
    "web.scheduled_exports": "exports.run",
    "web.exported_file": "each list",
    "web.imports": "imports.run",
    "web.imports_panel": "imports.run",
    "web.send_import": "imports.run",
    "web.history_import": "imports.run",
    "web.import_columns": "imports.run",
    "web.use_columns": "imports.run",
    "web.import_rehearsed": "imports.run",
    "web.import_now": "imports.run",
    "web.import_report": "imports.run",
    "web.import_set_aside": "imports.run",
    "web.batches": "batches.run",
    "web.views": "views.view",
    "web.account_mail": SIGNED_IN,
    "web.mail_confirm": SIGNED_IN,
    "web.macros": "macros.view",
    "web.macro_form": "macros.save",
    "web.macro_save": "macros.save",
    "web.new_batch": "batches.run",
    "web.batch_form": "each command",
    "web.create_batch": "each command",
    "web.batch_offers": "each command",
    "web.batch": "batches.run",
    "web.batch_now": "batches.run",
    "web.alerts": "alerts.view",
    "web.alerts_now": "alerts.view",
    "web.alert_rules": "alerts.view",
    "web.alert_rules_now": "alerts.view",
    "web.alert_runbook": "alerts.view",
    "web.alert": "alerts.view",
    "web.alert_now": "alerts.view",
    "web.approvals": "approvals.view",
    "web.approvals_now": "approvals.view",
    "web.approval": "approvals.view",
    "web.approval_now": "approvals.view",
    "web.approval_policies": "approvals.view",
    "web.failures": "failures.view",
    "web.failures_now": "failures.view",
    "web.failure": "failures.view",
    "web.failure_now": "failures.view",
    "web.failure_test": "failures.view",
    "web.system": "system.view",
    "web.system_panel": "system.view",
    "web.system_page": "system.view",
    "web.rebuilds": "system.view",
    "web.rebuilds_panel": "system.view",
    "web.statistics": "system.view",
    "web.operators": "operators.manage",
    "web.operator": "operators.manage",
    "web.operator_link": "operators.manage",
    "web.operator_roles": "operators.manage",
    "web.operator_access": "operators.manage",
    "web.operator_access_file": "operators.manage",
    "web.audit": "audit.view",
    "web.tokens": "tokens.manage",
    "web.token_new": "tokens.manage",
    "web.token_revoke": "tokens.manage",
    "web.token_revoked": "tokens.manage",
    "web.webhooks": "webhooks.view",
    "web.webhooks_now": "webhooks.view",
    "web.webhook": "webhooks.view",
    "web.webhook_now": "webhooks.view",
    "web.command_form": "each command",
    "web.command_submit": "each command",
    "web.command_effects": "each command",
    "web.undo": "each command",
    "web.question": "each query",
    "web.lookup": "each lookup",
    "web.catalogue": SIGNED_IN,
    "web.catalogue_problems": SIGNED_IN,
    "web.catalogue_entry": SIGNED_IN,
}


def addresses(app: Flask) -> dict[str, str]:
    order_id = order_in(app, "placed")
    return {
        "web.home": "/",
        "web.home_panel": "/home/waiting",
        "web.shift": "/shift",
        "web.remove_demo": "/shift/remove",
        "web.orders": "/orders",
        "web.orders_changes": "/orders/changes?since=0",
        "web.order": f"/orders/{order_id}",
        "web.order_now": f"/orders/{order_id}/now",
        "web.workload": "/workload",
        "web.order_at": f"/orders/{order_id}/at?position=1",
        "web.order_at_version": f"/orders/{order_id}/at/1",
        "web.print_orders": f"/print/packing-slip?order={order_id}",
        "web.order_attachments": f"/orders/{order_id}/attachments",
        "web.attachment": f"/orders/{order_id}/attachments/1",
        "web.customers": "/customers",
        "web.accounts": "/customers/-/accounts",
        "web.customer": "/customers/C1001",
        "web.credit_notes": "/credit-notes",
        "web.refunded_orders": "/refunded-orders",
        "web.reports": "/reports",
        "web.fulfilments": "/fulfilment",
        "web.fulfilment": "/fulfilment/none",
        "web.fulfilment_now": "/fulfilment/none/now",
        "web.products": "/products",
        "web.product": "/product?sku=LMP-010",
        "web.product_now": "/product/now?sku=LMP-010",
        "web.past": f"/past?stream=order-{order_id}",
        "web.payments": "/payments",
        "web.payment": "/payments/none",
        "web.payment_now": "/payments/none/now",
        "web.ledger": "/ledger",
        "web.expenses": "/expenses",
        "web.expense_flow": "/expenses/-/flow",
        "web.expense": "/expenses/none",
        "web.expense_now": "/expenses/none/now",
        "web.command_log": "/log",
        "web.command": "/log/none",
        "web.command_trace": "/log/none/trace",
        "web.export": "/exports/ListOrders.csv",
        "web.scheduled_exports": "/scheduled-exports",
        "web.imports": "/imports",
        "web.imports_panel": "/imports/panel",
        "web.history_import": f"/imports/{NO_IMPORT}",
        "web.import_columns": f"/imports/{NO_IMPORT}/columns",
        "web.import_now": f"/imports/{NO_IMPORT}/now",
        "web.import_report": f"/imports/{NO_IMPORT}/report.json",
        "web.import_set_aside": f"/imports/{NO_IMPORT}/set-aside.csv",
        "web.batches": "/batches",
        "web.views": "/views",
        "web.macros": "/macros",
        "web.macro_form": "/macros/edit",
        "web.new_batch": "/batches/new",
        "web.batch": f"/batches/{NO_IMPORT}",
        "web.batch_now": f"/batches/{NO_IMPORT}/now",
        "web.alerts": "/alerts",
        "web.alerts_now": "/alerts/-/now",
        "web.alert_rules": "/alerts/-/rules",
        "web.alert_rules_now": "/alerts/-/rules/now",
        "web.alert_runbook": "/alerts/-/runbook/parked",
        "web.alert": "/alerts/none",
        "web.alert_now": "/alerts/none/now",
        "web.approvals": "/approvals",
        "web.approvals_now": "/approvals/-/now",
        "web.approval": f"/approvals/{NO_IMPORT}",
        "web.approval_now": f"/approvals/{NO_IMPORT}/now",
        "web.approval_policies": "/approvals/-/policies",
        "web.failures": "/failures",
        "web.failures_now": "/failures/-/now",
        "web.failure": f"/failures/{NO_FAILURE}",
        "web.failure_now": f"/failures/{NO_FAILURE}/now",
        "web.failure_test": f"/failures/{NO_FAILURE}/test",
        "web.system": "/system",
        "web.system_panel": "/system/projections",
        "web.system_page": "/system/storage",
        "web.rebuilds": "/system/rebuilds",
        "web.rebuilds_panel": "/system/rebuilds/panel",
        "web.statistics": "/system/statistics?name=command_p95",
        "web.operators": "/operators",
        "web.operator": "/operators/nobody",
        "web.operator_roles": "/operators/-/roles",
        "web.operator_access": "/operators/-/access",
        "web.operator_access_file": "/operators/-/access.csv",
        "web.audit": "/audit",
        "web.tokens": "/tokens",
        "web.token_new": "/tokens/new",
        "web.token_revoke": "/tokens/none-such/revoke",
        "web.webhooks": "/webhooks",
        "web.webhooks_now": "/webhooks/-/now",
        "web.webhook": "/webhooks/none",
        "web.webhook_now": "/webhooks/none/now",
    }


@pytest.fixture
def shop(shared_shop: Flask) -> Flask:
    return shared_shop


def test_every_route_is_in_the_table(shop: Flask) -> None:
    endpoints = {rule.endpoint for rule in shop.url_map.iter_rules()}
    # tests/interfaces/api and tests/interfaces/scim ask those that take tokens.
    assert {each for each in endpoints if not each.startswith(("api.", "scim."))} == set(WHO)


@pytest.mark.parametrize("role", ["nobody", *ROLES])
def test_each_page_is_shown_to_those_who_may_see_it_and_to_nobody_else(
    shop: Flask, client_of: Callable[[str], FlaskClient], role: str
) -> None:
    client = client_of(role)
    for endpoint, address in addresses(shop).items():
        status = client.get(address).status_code
        if role == "nobody":
            assert status == 303, endpoint
        elif WHO[endpoint] in ROLES[role]:
            assert status in (200, 404), (endpoint, status)
        else:
            assert status == 403, (endpoint, status)


@pytest.mark.parametrize("shared_kind", ["sqlite"], indirect=True)
def test_permission_is_judged_before_the_address(shop: Flask) -> None:
    """Of who may see saved views only, whatever stands in the address."""
    kernel = services_of(shop).kernel
    client = client_in(shop, "viewer")

    def run(command: Command) -> None:
        actor = Actor("ada", frozenset(ROLES["admin"]))
        kernel.commands.execute(command, Context(actor=actor, channel="test"))

    run(DefineRole(role="nearly-blind", based_on=Role.VIEWER, permissions=("views.view",)))
    run(ChangeOperatorRole(operator="viewer", role="nearly-blind"))
    unusable = "&".join(f"{name}=%00zz" for name in UNUSABLE)
    for endpoint, address in addresses(shop).items():
        if WHO[endpoint] not in (SIGNED_IN, "views.view"):
            path, _, _ = address.partition("?")
            assert client.get(f"{path}?{unusable}").status_code == 403, endpoint
    for name, cls in kernel.registry.queries.items():
        if cls.declaration.permission != "views.view":
            assert client.get(f"/queries/{name}?{unusable}").status_code == 403, name
    run(ChangeOperatorRole(operator="viewer", role="viewer"))


@pytest.mark.parametrize("role", ["nobody", *ROLES])
def test_each_task_opens_and_runs_only_with_its_permission(
    shop: Flask,
    client_of: Callable[[str], FlaskClient],
    role: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(shop.config, "WTF_CSRF_ENABLED", False)
    client, registry = client_of(role), services_of(shop).kernel.registry
    for name, cls in registry.commands.items():
        form = client.get(f"/commands/{name}").status_code
        # Nothing is carried out: a field is missing, or none has a value that can be used.
        given = {} if required_of(cls) else dict.fromkeys(hints_of(cls), "\0")
        sent = client.post(f"/commands/{name}", data=given).status_code
        effects = client.post(f"/commands/{name}/effects", data={}).status_code
        may = cls.declaration.permission in ROLES.get(role, ())
        assert effects == (303 if role == "nobody" else 200 if may else 403), name
        if role == "nobody":
            assert (form, sent) == (303, 401), name
        elif cls.declaration.permission in ROLES[role]:
            assert (form, sent) == (200, 422), name
        else:
            assert (form, sent) == (403, 403), name


def test_a_denied_form_is_in_the_log_without_what_was_typed(make_shop: MakeConsole) -> None:
    shop = make_shop()
    shop.config["WTF_CSRF_ENABLED"] = False
    viewer, admin = client_in(shop, "viewer"), client_in(shop, "admin")
    assert viewer.post("/commands/AddOrderNote", data={"note": "x"}).status_code == 403
    page = admin.get("/log?operator=Viewer&outcome=refused")
    [address] = re.findall(r'href="(/log/[^"?]+)"', page.text)
    assert "Ask an administrator" in admin.get(address).text


def test_health_is_told_to_anyone(shop: Flask) -> None:
    catch_up(shop)  # the accounts that other tests have made are events
    client = shop.test_client()
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {"missing": ["a worker", "the sweep"]}
    metrics = client.get("/metrics").get_data(as_text=True)
    assert 'countersign_projection_lag_events{projection="orders"} 0.0' in metrics
    assert 'countersign_up{part="redis"} 1.0' in metrics


@pytest.mark.parametrize(
    "address",
    [
        "/orders/changes",
        "/orders/changes?since=x&stage=nonsense",
        "/orders?status=nonsense",
        "/orders?min_total=lots",
        "/orders?placed_from=yesterday",
        "/orders?after=tampered",
        "/orders?sort=password_hash",
        "/orders/..%2f..",
        "/orders/none-such",
        "/customers/none-such",
        "/customers?after=x",
        "/customers?status=nonsense",
        "/customers/-/accounts?after=x",
        "/customers/-/nothing",
        "/credit-notes?after=x",
        "/credit-notes?customer_id=No%20Such",
        "/reports?day_from=yesterday",
        "/reports?day_from=2026-02-01&day_to=2026-01-01",
        "/reports?day_from=1900-01-01",
        "/reports?day_to=1000-01-01",
        "/reports?day_from=8999-12-31",
        "/reports?currency=pounds&country=%00",
        "/reports?after=x&by=x&limit=x",
        "/log?received_from=x",
        "/log?after=x",
        "/log/none-such",
        "/log/none-such/trace",
        "/system/none-such",
        "/system/statistics?name=none-such",
        "/system/statistics?name=commands&last=x&only=%00",
        "/system/statistics?name=commands&until=x",
        "/system?last=x",
        "/system/charts?page=x&last=x",
        "/log?since=x&until=y",
        "/products?after=x",
        "/products?show=nonsense",
        "/product",
        "/product?sku=%00",
        "/product?sku=none-such",
        "/product?sku=LMP-010&after=x",
        "/past?stream=order-none-such",
        "/past?stream=%00",
        "/past?stream=order-CS-10001&version=1&at=2026-01-01T10:00",
        "/past?stream=order-CS-10001&version=x",
        "/fulfilment/none-such",
        "/fulfilment/No%20Such",
        "/fulfilment?stage=nonsense",
        "/fulfilment?after=x",
        "/payments/none-such",
        "/payments/No%20Such",
        "/payments?status=nonsense",
        "/payments?after=x",
        "/expenses/none-such",
        "/expenses/No%20Such",
        "/expenses/-/nothing",
        "/expenses?stage=nonsense",
        "/expenses?after=x",
        "/expenses/-/flow?kind=nonsense",
        "/ledger?account=x",
        "/ledger?before=x",
        "/webhooks/none-such",
        "/webhooks/No%20Such",
        "/webhooks/-/nothing",
        "/commands/ChangeWebhook?webhook_id=No%20Such",
        "/home/none-such",
        "/imports/none-such",
        "/imports?after=x",
        "/imports/panel?after=x",
        "/commands/DropTables",
        "/commands/ApproveOrder?order_id=%00&expected_version=x",
        "/commands/RecordPayment?order_id=1&amount=12.50",
        "/commands/RecordPayment?amount=lots&payment_id=%00",
        "/commands/PlaceOrder?lines=x&shipping_address=y",
        "/commands/ShipOrder?lines=1",
    ],
)
def test_what_cannot_be_used_gets_a_sentence_and_never_a_fault(
    client_of: Callable[[str], FlaskClient], address: str
) -> None:
    answer = client_of("admin").get(address)
    assert answer.status_code in (200, 404, 422), answer.status_code
    if answer.status_code != 200:
        assert "data-error-text" in answer.get_data(as_text=True)


@pytest.mark.parametrize("shared_kind", ["sqlite"], indirect=True)
def test_no_name_of_a_parameter_is_taken_for_one_of_the_code(shop: Flask) -> None:
    client = client_in(shop, "admin")
    names = ("endpoint", "_method", "_anchor", "_scheme", "_external", "values", "changed", "self")
    parameters = "&".join(f"{name}=javascript" for name in (*names, "order_id", "version", "page"))
    for endpoint, address in addresses(shop).items():
        answer = client.get(f"{address}{'&' if '?' in address else '?'}{parameters}")
        assert answer.status_code in (200, 404, 422), (endpoint, answer.status_code)
        assert "javascript:" not in answer.text, endpoint


@pytest.mark.parametrize("path", ["/", "/sign-in", "/readyz", "/metrics", "/no-such-page"])
def test_a_host_name_that_is_not_trusted_gets_one_sentence(
    make_console: MakeConsole, path: str
) -> None:
    client = make_console(trusted_hosts="desk.example").test_client()
    answer = client.get(path, headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert answer.text.startswith("This console is not served under this host name.")
