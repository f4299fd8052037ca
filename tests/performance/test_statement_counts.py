"""The number of SQL statements of each page, query and command, whatever the number of rows.

The query cache is off, so that every count is that of an answer from the database; the last tests
count with the cache. Each URL is requested once before counting: one-time work of a process
(prepared templates, a session's first activity) is no cost per request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cqrs_app.areas.desk.queries.order_list import ListOrders
from cqrs_app.areas.orders.commands import AddOrderNote, ApproveOrder
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Context
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.fields import hints_of
from cqrs_app.kernel.messages.messages import parse
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.platform.catalogue.examples import example_of
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import client_in
from tests.interfaces.web.pages.test_routes import NO_FAILURE, WHO
from tests.performance.plenty import ADA, do, grow, import_id, one_more, rich
from tests.services.statements import Sent, statements

FEW, MANY = 3, 30

# What is not a page that shows rows: files, health, what only takes something in.
NO_PAGES = {
    "static",
    "web.healthz",
    "web.sign_in",
    "web.sign_out",
    "web.payment_callback",
    "web.send_import",
    # It reads the file.
    "web.import_columns",
    "web.use_columns",
    "web.import_rehearsed",
    # It sends a file, a piece at a time.
    "web.exported_file",
    "web.batch_form",
    "web.create_batch",
    "web.batch_offers",
    "web.macro_save",
    "web.attach_file",
    "web.token_revoke",
    "web.token_revoked",
    "web.account_shortcuts",
    "web.offer_shift",
    # A demo shop has it, whose steps are as many for many rows.
    "web.shift",
    "web.remove_demo",
    "web.demo_removed",
    "web.account_mail",
    "web.mail_confirm",
    "web.account_list",
    "web.second_step",
    "web.second_factor",
    "web.passkey_options",
    "web.provider_start",
    "web.provider_callback",
    "web.provider_link",
    "web.provider_logout",
    "web.passkey_new_options",
    "web.passkey_remove",
    "web.authenticator_remove",
    "web.recovery_codes",
    "web.end_session",
    "web.end_other_sessions",
    "web.command_submit",
    "web.command_effects",
    "web.undo",
    "web.question",
    "web.claim",
    "web.release",
    "web.queue_start",
    "web.queue_next",
    "web.queue_close",
    "web.queue_after",
    "web.notifications_read",
    "web.notification_open",
    "web.operator_link",
}

# What the hottest may cost at most, the look at what is away and the freshness of each answer
# included; the driver alone is asked for an operator's session, which is not counted. It may only
# fall, or rise for a reason.
MOST = {
    "web.banners": 5,
    "web.home": 74,
    "web.orders": 13,
    "web.orders_changes": 8,
    "web.order": 47,
    "web.order_now": 46,
    "ListOrders": 5,
    "GetOrder": 7,
}
MOST_OF_A_COMMAND = 9
MOST_OF_A_HIT = 3


@pytest.fixture
def plain(make_console: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch) -> Flask:
    """A console without a query cache, whose pages check for parts that are down each time."""
    monkeypatch.setattr("cqrs_app.interfaces.web.shell.LOOK_EVERY_SECONDS", -1.0)
    return make_console(query_caching_enabled=False)


def addresses(number: int) -> dict[str, str]:
    """An address of every page; a single thing's is that of one with so many parts."""
    order, payment, product = f"rich-{number}", f"rich-{number}-1", f"R{number}-1"
    return {
        "web.readyz": "/readyz",
        "web.prometheus": "/metrics",
        "web.account": "/account",
        "web.account_password": "/account/password",
        "web.authenticator": "/account/authenticator",
        "web.passkey_new": "/account/passkeys/new",
        "web.confirm_identity": "/confirm-identity",
        "web.search": "/search?q=rich",
        "web.lookup": "/lookups/customer?q=rich",
        "web.freshness": "/freshness?position=1&shown=orders:1",
        "web.banners": "/banners",
        "web.home": "/",
        "web.home_panel": "/home/health",
        "web.orders": "/orders?limit=100",
        "web.orders_changes": "/orders/changes?since=0",
        "web.order": f"/orders/{order}",
        "web.order_now": f"/orders/{order}/now",
        "web.workload": "/workload",
        "web.notifications": "/notifications",
        "web.order_attachments": f"/orders/{order}/attachments",
        "web.attachment": f"/orders/{order}/attachments/1",
        "web.order_at": f"/orders/{order}/at?position=1",
        "web.order_at_version": f"/orders/{order}/at/1",
        "web.print_orders": f"/print/packing-slip?order={order}",
        "web.customers": "/customers?limit=100",
        "web.accounts": "/customers/-/accounts?limit=100",
        "web.customer": f"/customers/{order}",
        "web.credit_notes": "/credit-notes?limit=100",
        "web.refunded_orders": "/refunded-orders?limit=100",
        "web.reports": "/reports",
        "web.fulfilments": "/fulfilment?show=all",
        "web.fulfilment": f"/fulfilment/O{number}",
        "web.fulfilment_now": f"/fulfilment/O{number}/now",
        "web.products": "/products?limit=100",
        "web.product": f"/product?sku={product}",
        "web.product_now": f"/product/now?sku={product}",
        "web.past": f"/past?stream=order-{order}",
        "web.payments": "/payments?limit=100",
        "web.payment": f"/payments/{payment}",
        "web.payment_now": f"/payments/{payment}/now",
        "web.ledger": "/ledger",
        "web.expenses": "/expenses?limit=100",
        "web.expense_flow": "/expenses/-/flow",
        "web.expense": f"/expenses/{order}",
        "web.expense_now": f"/expenses/{order}/now",
        "web.command_log": "/log",
        "web.command": "/log/none",
        "web.command_trace": "/log/none/trace",
        "web.export": "/exports/ListOrders.csv",
        "web.scheduled_exports": "/scheduled-exports",
        "web.imports": "/imports",
        "web.imports_panel": "/imports/panel",
        "web.history_import": f"/imports/{import_id(number)}",
        "web.import_now": f"/imports/{import_id(number)}/now",
        "web.import_report": f"/imports/{import_id(number)}/report.json",
        "web.import_set_aside": f"/imports/{import_id(number)}/set-aside.csv",
        "web.approvals": "/approvals?view=open",
        "web.approvals_now": "/approvals/-/now",
        "web.approval": "/approvals/00000000-0000-4000-8000-000000000000",
        "web.approval_now": "/approvals/00000000-0000-4000-8000-000000000000/now",
        "web.approval_policies": "/approvals/-/policies",
        "web.batches": "/batches",
        "web.views": "/views",
        "web.macros": "/macros",
        "web.macro_form": "/macros/edit",
        "web.new_batch": "/batches/new",
        "web.batch": f"/batches/{import_id(number)}",
        "web.batch_now": f"/batches/{import_id(number)}/now",
        "web.alerts": "/alerts",
        "web.alerts_now": "/alerts/-/now",
        "web.alert_rules": "/alerts/-/rules",
        "web.alert_rules_now": "/alerts/-/rules/now",
        "web.alert_runbook": "/alerts/-/runbook/parked",
        "web.alert": "/alerts/none",
        "web.alert_now": "/alerts/none/now",
        "web.failures": "/failures",
        "web.failures_now": "/failures/-/now",
        "web.failure": f"/failures/{NO_FAILURE}",
        "web.failure_now": f"/failures/{NO_FAILURE}/now",
        "web.failure_test": f"/failures/{NO_FAILURE}/test",
        "web.rebuilds": "/system/rebuilds",
        "web.rebuilds_panel": "/system/rebuilds/panel",
        "web.system": "/system",
        "web.system_panel": "/system/projections",
        "web.system_page": "/system/subscriptions",
        "web.statistics": "/system/statistics?name=lag_seconds",
        "web.operators": "/operators",
        "web.operator": "/operators/admin",
        "web.operator_roles": "/operators/-/roles",
        "web.operator_access": "/operators/-/access",
        "web.operator_access_file": "/operators/-/access.csv",
        "web.sign_in_link": "/sign-in/link/admin/none",
        "web.audit": "/audit",
        "web.tokens": "/tokens",
        "web.token_new": "/tokens/new",
        "web.webhooks": "/webhooks",
        "web.webhooks_now": "/webhooks/-/now",
        "web.webhook": f"/webhooks/rich-{number}",
        "web.webhook_now": f"/webhooks/rich-{number}/now",
        "web.command_form": f"/commands/ShipOrder?order_id={order}",
        "web.catalogue": "/catalogue",
        "web.catalogue_problems": "/catalogue/problems",
        "web.catalogue_entry": "/catalogue/PlaceOrder",
    }


def questions(kernel: Kernel, number: int) -> dict[str, Any]:
    """A question of every kind, about what has so many parts."""
    known = {
        "order_id": f"rich-{number}",
        "customer_id": f"rich-{number}",
        "sku": f"R{number}-1",
        "payment_id": f"rich-{number}-1",
        "claim_id": f"rich-{number}",
        "webhook_id": f"rich-{number}",
        "import_id": import_id(number),
        "stream": f"order-rich-{number}",
        "streams": [f"order-rich-{number}"],
        "order_ids": [f"O{each}" for each in range(number)],
    }
    made = {}
    for name, cls in kernel.registry.queries.items():
        needed = example_of(cls, whole=False)
        about = {
            field: known[field]
            for field in hints_of(cls)
            if field in known and (field, name) != ("streams", "PreviewRetry")
        }
        # The whole list is requested: for a single item it would be short.
        made[name] = (
            needed if name.startswith("List") and name != "ListMovements" else needed | about
        )
        if "limit" in hints_of(cls):
            made[name] |= {"limit": 50}
    return made


def of_page(app: Flask, client: FlaskClient, address: str) -> list[Sent]:
    """The statements of a page when it is requested the second time."""
    for _ in range(2):
        _forget_keys(app)
        with statements() as sent:
            answer = client.get(address)
            answer.get_data()
    assert answer.status_code in (200, 204, 404, 503), (address, answer.status_code)
    return sent


def _forget_keys(app: Flask) -> None:
    """Keys of personal data are kept in memory for seconds: each count is that of none."""
    kernel: Kernel = services_of(app).kernel
    kernel.vault.forget()


def of_pages(app: Flask, number: int) -> dict[str, list[Sent]]:
    client = client_in(app, "admin")
    return {name: of_page(app, client, address) for name, address in addresses(number).items()}


def of_questions(app: Flask, number: int) -> dict[str, list[Sent]]:
    kernel: Kernel = services_of(app).kernel
    found = {}
    for name, fields in questions(kernel, number).items():
        question = parse(kernel.registry.query(name), fields)
        _forget_keys(app)
        with statements() as found[name]:
            kernel.queries.ask(question, QueryContext(actor=ADA))
    return found


def assert_no_growth(few: Mapping[str, list[Sent]], many: Mapping[str, list[Sent]]) -> None:
    for name, sent in many.items():
        more = Counter(map(str, sent)) - Counter(map(str, few[name]))
        # The page marks of longer lists are statements of other words, not more of them.
        assert len(sent) <= len(few[name]), (name, len(few[name]), len(sent), more.most_common(3))


def test_every_page_is_counted(plain: Flask) -> None:
    assert set(addresses(FEW)) == set(WHO) - NO_PAGES


def test_no_page_and_no_query_sends_more_for_more_rows(plain: Flask) -> None:
    client_in(plain, "admin")  # now, so that its events are followed in both
    grow(plain, range(FEW + 1))
    rich(plain, FEW)
    few = of_pages(plain, FEW) | of_questions(plain, FEW)
    grow(plain, range(FEW + 1, MANY + 1))
    rich(plain, MANY)
    many = of_pages(plain, MANY) | of_questions(plain, MANY)
    assert_no_growth(few, many)
    for name, most in MOST.items():
        assert len(many[name]) <= most, (name, len(many[name]), list(map(str, many[name])))


def test_a_command_sends_the_same_for_a_long_history(plain: Flask) -> None:
    grow(plain, range(2))
    do(plain, [AddOrderNote(order_id="N1", note=f"note {each}") for each in range(MANY)])
    kernel: Kernel = services_of(plain).kernel
    counts = {}
    for order_id in ("N0", "N1"):
        with statements() as sent:
            kernel.commands.execute(
                ApproveOrder(order_id=order_id), Context(actor=ADA, channel="test")
            )
        counts[order_id] = len(sent)
    assert counts["N0"] == counts["N1"] <= MOST_OF_A_COMMAND, list(map(str, sent))


def test_a_refused_command_sends_no_more_than_one_that_is_carried_out(plain: Flask) -> None:
    grow(plain, range(1))
    kernel: Kernel = services_of(plain).kernel
    with statements() as sent, pytest.raises(Refused):
        kernel.commands.execute(ApproveOrder(order_id="O0"), Context(actor=ADA, channel="test"))
    assert 0 < len(sent) <= MOST_OF_A_COMMAND, list(map(str, sent))


def test_a_batch_of_events_is_taken_in_by_the_same_statements(plain: Flask) -> None:
    """Of one order or of many; those that look for rows name them all at once."""
    kernel: Kernel = services_of(plain).kernel
    counts: list[dict[str, int]] = []
    for numbers in (range(FEW), range(FEW, MANY)):
        do(plain, (each for number in numbers for each in one_more(number)))
        counts.append({})
        for name in kernel.registry.projections:
            kernel.vault.forget()
            with statements() as sent:
                kernel.runner.advance(name)
            counts[-1][name] = len(sent)
    few, many = counts
    grown = {name: (few[name], count) for name, count in many.items() if count > few[name]}
    assert grown == {}


def test_a_cached_answer_asks_only_how_fresh_it_is(make_console: Callable[..., Flask]) -> None:
    """With the query cache on, the second time: the answer is in Redis by the first."""
    app = make_console()
    grow(app, range(FEW))
    kernel: Kernel = services_of(app).kernel
    for _ in range(2):
        with statements() as sent:
            answer = kernel.queries.ask(ListOrders(), QueryContext(actor=ADA))
    assert answer.freshness.cached
    assert len(answer.value.rows) == 2 * FEW
    assert len(sent) <= MOST_OF_A_HIT, list(map(str, sent))
    assert not any("FROM orders" in str(each) for each in sent)
