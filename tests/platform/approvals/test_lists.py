"""Lists of requests: pages, filters and counts, and rows that an earlier release wrote."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import insert, select, update

from cqrs_app.areas.orders.commands import AddOrderNote, PlaceOrder
from cqrs_app.areas.orders.types import OrderLine
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.kernel.queries.paging import Page
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.approvals.commands import DelegateSignatures, OverrideApproval
from cqrs_app.platform.approvals.lists import (
    ApprovalRow,
    ListApprovalRequests,
    waiting_by_name,
)
from cqrs_app.platform.approvals.request import ApprovalRequest
from cqrs_app.platform.approvals.seats import asks
from cqrs_app.platform.approvals.tables import approval_requests
from cqrs_app.platform.approvals.types import ApprovalStage
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import catch_up
from tests.platform.approvals.conftest import Shop
from tests.platform.approvals.test_doors import signed_in

_ROW = approval_requests.c


def listed(shop: Shop, **terms: object) -> Page[ApprovalRow]:
    question = ListApprovalRequests(**terms)  # type: ignore[arg-type]
    found = shop.kernel.queries.ask(question, QueryContext(actor=shop.actor("sam"))).value
    assert isinstance(found, Page)
    return found


def noted(shop: Shop, number: int, name: str) -> str:
    line = OrderLine(sku="LAMP", quantity=1, unit_price=5)  # type: ignore[arg-type]
    order_id = f"N-{number}"
    shop.run(PlaceOrder(order_id=order_id, country="FR", currency="EUR", lines=(line,)))
    return shop.ask(AddOrderNote(order_id=order_id, note="Call."), name)


def test_pages_filters_and_counts_fit_whoever_looks(shop: Shop) -> None:
    shop.policy("AddOrderNote", "RefundPayment", stages=(ApprovalStage(approvals=2),))
    mine = [noted(shop, number, "sam") for number in range(3)]
    hers = [noted(shop, number, "tina") for number in range(3, 5)]
    refund = shop.ask()
    shop.sign(mine[0], "ada")
    waiting = listed(shop, waits_for="tina", limit=2, count=True)
    assert ([each.request_id for each in waiting.rows], waiting.total) == (mine[:2], 4)
    rest = listed(shop, waits_for="tina", limit=2, after=waiting.next)
    assert [each.request_id for each in rest.rows] == [mine[2], refund]
    assert rest.next is None
    assert listed(shop, waits_for="ada", count=True).total == 5
    assert listed(shop, waits_for="tina", command="RefundPayment", count=True).total == 1
    assert [each.request_id for each in listed(shop, asked_by="tina").rows] == hers[::-1]
    assert listed(shop, waits_for="olga").rows == ()
    with reader_of(shop.kernel.engines.write).connect() as connection:
        counted = waiting_by_name(connection)
    assert counted == {"ada": 5, "tina": 4, "sam": 2, "olga": 0}
    page = signed_in(shop, "tina").get("/approvals?command=RefundPayment").text
    assert f"/approvals/{refund}" in page
    assert f"/approvals/{mine[0]}" not in page
    assert "1 request<" in page
    gone = signed_in(shop, "tina").get("/approvals?command=ShipOrder").text
    assert "No requests match" in gone


def test_the_page_turns_with_its_filters(shop: Shop) -> None:
    shop.policy("AddOrderNote")
    noted(shop, 1, "sam")
    with shop.kernel.engines.write.begin() as connection:
        [row] = connection.execute(select(approval_requests)).mappings().all()
        copies = [{**row, "request_id": str(uuid.uuid4())} for _ in range(50)]
        connection.execute(insert(approval_requests), copies)
    client = signed_in(shop, "tina")
    first = client.get("/approvals?asked_by=sam").text
    assert "51 requests" in first
    assert "Page 1 of 2" in first
    [following] = re.findall(r'rel="next" href="([^"]+)"', first)
    second = client.get(following.replace("&amp;", "&")).text
    assert len(re.findall(r"data-row", second)) == 1
    assert "Page 2 of 2" in second
    poll = re.findall(r'hx-get="(/approvals/-/now[^"]*)"', second)[0].replace("&amp;", "&")
    assert len(re.findall(r"data-row", client.get(poll).text)) == 1


def test_the_list_and_a_signature_agree_on_who_is_asked(shop: Shop) -> None:
    """The conditions on rows are those of `asks`, delegation, teams and people included."""
    accounts = services_of(shop.app).accounts
    accounts.set_team("olga", "returns")
    until = shop.kernel.clock() + timedelta(days=1)
    shop.run(DelegateSignatures(operator="ada", delegate="tina", until=until), "ada")
    stages = (
        ApprovalStage(role="operator", teams=("returns",)),  # type: ignore[arg-type]
        ApprovalStage(role="admin"),  # type: ignore[arg-type]
    )
    shop.policy("AddOrderNote", stages=stages)
    requests = [noted(shop, 1, "sam"), noted(shop, 2, "tina")]
    shop.sign(requests[0], "olga")
    catch_up(shop.app)
    with reader_of(shop.kernel.engines.write).connect() as connection:
        rows = connection.execute(select(approval_requests)).all()
    signers = services_of(shop.app).signers.all()
    for signer in signers:
        expected = {
            row.request_id
            for row in rows
            if asks(msgspec.json.decode(row.request, type=ApprovalRequest), signer)
        }
        found = {each.request_id for each in listed(shop, waits_for=signer.name).rows}
        assert found == expected, signer.name
    assert listed(shop, waits_for="tina").rows


def test_rows_of_an_earlier_release_are_made_anew(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.policy("AddOrderNote", "RefundPayment")
    open_, overridden = noted(shop, 1, "sam"), shop.ask()
    digest = shop.view(overridden).digest
    shop.run(
        OverrideApproval(request_id=overridden, digest=digest, reason="The shop is closed."), "ada"
    )
    shop.work()
    old = {"shape": 0, "waiting": "", "given": "", "remind_at": None, "review_due": None}
    with shop.kernel.engines.write.begin() as connection:
        connection.execute(update(approval_requests).values(**old, lease_until=None))
    assert listed(shop, waits_for="tina").rows == ()
    shop.work()
    assert [each.request_id for each in listed(shop, waits_for="tina").rows] == [open_]
    assert [each.request_id for each in listed(shop, unreviewed=True).rows] == [overridden]
    with reader_of(shop.kernel.engines.write).connect() as connection:
        rows = connection.execute(select(_ROW.request_id, _ROW.remind_at, _ROW.shape)).all()
    assert {row.shape for row in rows} == {ApprovalRequest.shape}
    assert all(row.remind_at for row in rows)
    shop.sign(open_)
    assert shop.state(open_) == "approved"
    # Events that the row has already are not counted twice.
    assert listed(shop, waits_for="tina").rows == ()
