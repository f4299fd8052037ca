"""Many signatures at once, where the policy allows it: each request has an outcome of its own."""

from __future__ import annotations

import re
import uuid

import pytest

from cqrs_app.areas.orders.commands import AddOrderNote, CancelOrder, PlaceOrder
from cqrs_app.areas.orders.types import OrderLine
from cqrs_app.areas.orders.words import CancelReason
from cqrs_app.kernel.errors import Refused
from cqrs_app.platform.approvals.commands import ResubmitRequest, SignRequest
from cqrs_app.platform.approvals.types import SignDecision
from cqrs_app.platform.batches.commands import RetryBatchItems, StartBatch
from cqrs_app.platform.batches.creating import NewBatch
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import catch_up
from tests.platform.approvals.conftest import Shop
from tests.platform.approvals.test_doors import program, signed_in, work


def requested(shop: Shop, *orders: str, bulk: bool = True) -> list[str]:
    """Requests of sam to cancel these orders, each under one policy."""
    shop.policy("CancelOrder", bulk=bulk)
    found = []
    for order_id in orders:
        line = OrderLine(sku="LAMP", quantity=1, unit_price=5)  # type: ignore[arg-type]
        shop.run(PlaceOrder(order_id=order_id, country="FR", currency="EUR", lines=(line,)))
        found.append(shop.ask(CancelOrder(order_id=order_id, reason=CancelReason.DUPLICATE)))
    return found


def sign(shop: Shop, name: str, request_ids: list[str], *, start: bool = False) -> str:
    new = NewBatch(
        batch_id=str(uuid.uuid4()),
        command="SignRequest",
        fields={"decision": "approve"},
        named=[(each, shop.view(each).version) for each in request_ids],
        start=start,
    )
    services_of(shop.app).batches.create(new, shop.actor(name), "form")
    work(shop, new.batch_id)
    return new.batch_id


def test_each_is_signed_on_its_own_and_what_has_changed_falls_out(shop: Shop) -> None:
    requests = requested(shop, "B-1", "B-2", "B-3")
    shop.run(AddOrderNote(order_id="B-2", note="Something new."))
    shop.sign(requests[2], "ada", "refuse", comment="No.")
    batch_id = sign(shop, "tina", requests)
    page = signed_in(shop, "tina").get(f"/batches/{batch_id}").text
    assert "1 of 3 can be done." in page
    assert "something has changed since this was requested" in page
    assert "Cancel order B-1." in page
    assert shop.state(requests[0]) == "open"
    shop.run(StartBatch(batch_id=batch_id), "tina")
    work(shop, batch_id)
    assert [shop.state(each) for each in requests] == ["approved", "stale", "refused"]
    shop.work()
    assert shop.state(requests[0]) == "executed"
    page = signed_in(shop, "tina").get(f"/batches/{batch_id}").text
    assert "something has changed since this was requested" in page


def test_sending_again_does_not_sign_what_was_not_shown(shop: Shop) -> None:
    [request_id] = requested(shop, "B-1")
    shop.sign(request_id, decision="return", comment="Why?")
    batch_id = sign(shop, "tina", [request_id], start=True)
    assert shop.state(request_id) == "returned"
    shop.run(AddOrderNote(order_id="B-1", note="Something new."))
    shop.run(ResubmitRequest(request_id=request_id), "sam")
    assert shop.state(request_id) == "open"
    shop.run(RetryBatchItems(batch_id=batch_id, outcome="refused"), "tina")
    work(shop, batch_id)
    assert shop.state(request_id) == "open"
    assert shop.view(request_id).signed == ()
    page = signed_in(shop, "tina").get(f"/batches/{batch_id}").text
    assert "The request is not what you were shown." in page


def test_where_the_policy_does_not_allow_it_nothing_is_signed(shop: Shop) -> None:
    [request_id] = requested(shop, "B-1", bulk=False)
    batch_id = sign(shop, "tina", [request_id], start=True)
    assert shop.view(request_id).signed == ()
    page = signed_in(shop, "tina").get(f"/batches/{batch_id}").text
    assert "Its policy wants it signed by itself." in page
    assert 'name="item"' not in signed_in(shop, "tina").get("/approvals").text


def test_nobody_signs_their_own_requests_in_bulk_either(shop: Shop) -> None:
    requests = requested(shop, "B-1", "B-2")
    sign(shop, "sam", requests, start=True)
    assert {shop.state(each) for each in requests} == {"open"}


def test_a_signature_names_what_was_seen_by_its_digest_or_its_version(shop: Shop) -> None:
    [request_id] = requested(shop, "B-1")
    blind = SignRequest(request_id=request_id, decision=SignDecision.APPROVE)
    for seen in (None, 7):
        with pytest.raises(Refused) as refused:
            shop.run(blind, "tina", expected_version=seen)
        assert refused.value.code == "not_as_shown"
    shop.sign(request_id, decision="return", comment="Why?")
    version = shop.view(request_id).version
    again = signed_in(shop, "sam")
    shop.app.config["WTF_CSRF_ENABLED"] = False
    again.post(
        f"/commands/ResubmitRequest?request_id={request_id}",
        data={"request_id": request_id, "command_id": str(uuid.uuid4())},
    )
    with pytest.raises(Refused) as refused:
        shop.run(blind, "tina", expected_version=version)
    assert refused.value.code == "not_as_shown"
    shop.run(blind, "tina", expected_version=shop.view(request_id).version)
    assert shop.state(request_id) == "approved"


def test_rows_are_selected_without_scripts_and_effects_shown_before_signing(shop: Shop) -> None:
    requests = requested(shop, "B-1", "B-2")
    shop.app.config["WTF_CSRF_ENABLED"] = False
    client = signed_in(shop, "tina")
    page = client.get("/approvals").text
    items = re.findall(r'name="item" value="([^"]+)"', page)
    assert {each.partition("@")[0] for each in items} == {*requests}
    asked = client.post("/batches/new", data={"command": "SignRequest", "item": items}).text
    assert 'name="decision"' in asked
    form = {"command": "SignRequest", "item": items, "decision": "approve", "comment": ""}
    created = client.post("/batches", data=form)
    assert created.status_code == 303
    batch_id = created.headers["Location"].rpartition("/")[2]
    work(shop, batch_id)
    text = client.get(f"/batches/{batch_id}").text
    assert "All 2 can be done." in text
    assert "Cancel order B-1." in text
    assert {shop.state(each) for each in requests} == {"open"}
    client.post("/commands/StartBatch", data={"batch_id": batch_id, "command_id": new_id()})
    work(shop, batch_id)
    assert {shop.state(each) for each in requests} == {"approved"}


def new_id() -> str:
    return str(uuid.uuid4())


def test_the_api_and_the_command_line_sign_what_matches(shop: Shop) -> None:
    first, second = requested(shop, "B-1", "B-2")
    body = {"command": "SignRequest", "fields": {"decision": "approve"}, "ids": [first]}
    unseen = program(shop, "tina").post("/batches", body)
    assert unseen.status_code == 422
    assert "Nobody signs what they were not shown." in unseen.text
    seen = {"id": first, "version": shop.view(first).version}
    made = program(shop, "tina").post("/batches", {**body, "ids": [seen]})
    assert made.status_code == 202, made.text
    work(shop, made.json["batch_id"])
    assert shop.state(first) == "approved"
    words = ["SignRequest", "--filter", "waits_for=ada", "--field", "decision=approve"]
    run = shop.app.test_cli_runner().invoke
    assert run(args=["batch", "create", *words, "--start", "--as", "ada"]).exit_code != 0
    assert run(args=["batch", "create", *words, "--as", "ada"]).exit_code == 0
    catch_up(shop.app)
    [batch_id] = shop.kernel.registry.tasks["batches"].due(shop.kernel)
    work(shop, batch_id)
    assert shop.state(second) == "open"
    shop.run(StartBatch(batch_id=batch_id), "ada")
    work(shop, batch_id)
    assert shop.state(second) == "approved"
    assert shop.view(second).signed == ("ada",)


def test_what_was_asked_of_a_batch_is_not_done_with_one_of_its_requests(shop: Shop) -> None:
    orders = ("B-1", "B-2")
    shop.policy("CancelOrder")
    for order_id in orders:
        line = OrderLine(sku="LAMP", quantity=1, unit_price=5)  # type: ignore[arg-type]
        shop.run(PlaceOrder(order_id=order_id, country="FR", currency="EUR", lines=(line,)))
    new = NewBatch(
        batch_id=str(uuid.uuid4()),
        command="CancelOrder",
        fields={"reason": "duplicate"},
        named=[(each, None) for each in orders],
        start=True,
    )
    services_of(shop.app).batches.create(new, shop.actor("sam"), "form")
    work(shop, new.batch_id)
    inbox = services_of(shop.app).inbox
    assert inbox.unread("tina") == 1
    _, one = shop.view_all()
    shop.sign(one.request_id)
    assert inbox.unread("tina") == 1
