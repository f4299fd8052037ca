"""Why whoever asked wants it: asked where the action needs approval, shown to who can sign."""

from __future__ import annotations

import uuid

import pytest

from cqrs_app.kernel.commands.context import Context
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.fields import hints_of
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.platform.approvals.events import ApprovalRequested
from cqrs_app.platform.approvals.gate import request_id_of
from cqrs_app.platform.approvals.queries import GetApprovalRequest
from tests.interfaces.web.pages.conftest import catch_up
from tests.platform.approvals.conftest import REFUND, Shop
from tests.platform.approvals.test_doors import FIELDS, program, signed_in

WHY = "The lamp came broken, twice."


def test_the_form_asks_for_it_where_approval_is_needed(shop: Shop) -> None:
    shop.app.config["WTF_CSRF_ENABLED"] = False
    client = signed_in(shop, "sam")
    url = "/commands/RefundPayment?payment_id=P-1&amount=12"
    assert 'name="why"' not in client.get(url).text
    shop.policy()
    assert 'name="why"' in client.get(url).text
    form = {**FIELDS, "why": WHY}
    again = client.post("/commands/RefundPayment/effects", data=form).text
    assert WHY in again
    client.post("/commands/RefundPayment", data=form | {"command_id": str(uuid.uuid4())})
    catch_up(shop.app)
    [row] = shop.view_all()
    assert shop.view(row.request_id).why == WHY
    assert WHY in signed_in(shop, "tina").get(f"/approvals/{row.request_id}").text


def test_the_api_and_the_command_line_take_it(shop: Shop) -> None:
    shop.policy()
    answer = program(shop, "sam").do("RefundPayment", **FIELDS, why=WHY)
    assert shop.view(answer.json["request_id"]).why == WHY
    shop.pay("P-2", order_id="A-2")
    item = {"command": "RefundPayment", "fields": FIELDS | {"payment_id": "P-2"}, "why": WHY}
    [result] = program(shop, "sam").post("/commands", {"commands": [item]}).json["results"]
    assert shop.view(result["receipt"]["request_id"]).why == WHY
    shop.pay("P-3", order_id="A-3")
    words = ["--payment-id", "P-3", "--amount", "12", "--reason", "Scratched.", "--why", WHY]
    given = [*words, "--as", "sam", "--command-id", "by-the-shell"]
    run = shop.app.test_cli_runner().invoke
    assert run(args=["command", "RefundPayment", *given]).exit_code == 0
    assert shop.view(request_id_of("by-the-shell")).why == WHY
    too_long = program(shop, "sam").do("RefundPayment", **FIELDS, why="x" * 1_001)
    assert too_long.status_code == 422
    assert "why" in too_long.text


def test_a_reason_that_cannot_be_kept_changes_nothing(shop: Shop) -> None:
    shop.policy()
    with pytest.raises(Invalid):
        shop.ask(why="x" * 1_001)
    assert not shop.view_all()


def test_with_a_reason_a_command_is_not_queued_so_that_it_is_not_lost(shop: Shop) -> None:
    shop.policy()
    context = Context(actor=shop.actor("sam"), channel="form", why=WHY)
    assert shop.kernel.commands.enqueue(REFUND, context).status == "requested"
    assert shop.view(request_id_of(context.command_id)).why == WHY


def test_who_may_neither_sign_nor_see_the_fields_does_not_read_it(shop: Shop) -> None:
    shop.policy()
    question = GetApprovalRequest(request_id=shop.ask(why=WHY))

    def seen(name: str) -> str:
        view = shop.kernel.queries.ask(question, QueryContext(actor=shop.actor(name))).value
        assert view is not None
        return str(view.why)

    assert (seen("victor"), seen("olga"), seen("tina")) == ("", WHY, WHY)


def test_it_is_sealed_with_the_key_of_the_person(shop: Shop) -> None:
    shop.policy()
    request_id = shop.ask(why=WHY)
    [stored] = shop.kernel.store.events_of(f"approval-{request_id}")
    assert WHY not in stored.payload
    event = shop.kernel.registry.codec.decode(stored).event
    assert isinstance(event, ApprovalRequested)
    assert event.why == WHY


def test_no_command_has_a_field_of_this_name(shop: Shop) -> None:
    commands = shop.kernel.registry.commands.values()
    assert not [each.__name__ for each in commands if "why" in hints_of(each)]
