"""The same thing sent many times at once: it is done once."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pyotp
from sqlalchemy import select

from cqrs_app.kernel.store.tables import events
from cqrs_app.platform.operators.commands import InviteOperator
from tests.attack.outcome import Outcome
from tests.attack.plan import Plan
from tests.attack.sessions import sign_in
from tests.attack.target import PASSWORD, Target, rows_of
from tests.attack.visitor import Reply, Visitor
from tests.processes.running import eventually

API = "/api/v1"
AT_ONCE = 8
SIGNERS = ("sara", "sven")


def run(target: Target, plan: Plan) -> Iterator[Outcome]:
    for attack in (same_form, same_action, refunds, approvals, stock, recovery_codes, links):
        yield attack(target, max(plan.times // 4, 2))


def at_once(calls: Sequence[Callable[[], Reply]]) -> list[Reply]:
    """The replies to calls that begin at the same moment."""
    barrier = threading.Barrier(len(calls))

    def begin(call: Callable[[], Reply]) -> Reply:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(begin, calls))


def _types(target: Target, stream: str) -> list[str]:
    found = select(events.c.type).where(events.c.stream == stream)
    with target.kernel.engines.write.connect() as connection:
        return [row.type for row in connection.execute(found)]


def _has(target: Target, stream: str, event: str) -> bool:
    return event in _types(target, stream)


def _do(target: Target, name: str, **fields: Any) -> Reply:
    reply = target.program("admin").post_json(f"{API}/commands/{name}", fields)
    assert reply.status in (200, 202), f"{name} got {reply.status}: {reply.text[:300]}"
    return reply


def _order(target: Target, sku: str = "85123A", quantity: int = 1) -> str:
    order_id = f"R-{uuid.uuid4().hex[:12]}"
    line = {"sku": sku, "quantity": quantity, "unit_price": "40"}
    given = {"country": "France", "currency": "EUR", "lines": [line], "order_id": order_id}
    _do(target, "PlaceOrder", **given)
    return order_id


def same_form(target: Target, times: int) -> Outcome:
    """One form, sent by one operator several times at once."""
    outcome = Outcome("races: one form sent twice")
    for _ in range(times):
        order_id, command_id = _order(target), str(uuid.uuid4())
        senders = [target.operator("admin") for _ in range(AT_ONCE)]
        tokens = [each.csrf() for each in senders]
        fields = {"order_id": order_id, "note": "Once.", "command_id": command_id}
        at_once(
            [
                partial(sender.post, "/commands/AddOrderNote", {"csrf_token": token} | fields)
                for sender, token in zip(senders, tokens, strict=True)
            ]
        )
        notes = _types(target, f"order-{order_id}").count("OrderNoteAdded")
        outcome.expect(notes == 1, f"{order_id} has {notes} notes")
    return outcome


def same_action(target: Target, times: int) -> Outcome:
    """One action, which can be done once, by several people at once."""
    outcome = Outcome("races: one order approved by several")
    for _ in range(times):
        order_id = _order(target)
        replies = _by_programs(target, "ApproveOrder", {"order_id": order_id})
        approved = _types(target, f"order-{order_id}").count("OrderApproved")
        done = sum(each.status == 200 for each in replies)
        outcome.expect(approved == done == 1, f"{order_id}: {approved} events, {done} receipts")
    return outcome


def refunds(target: Target, times: int) -> Outcome:
    """More refunds at once than there is money in the payment."""
    outcome = Outcome("races: refunds of one payment")
    for _ in range(times):
        payment_id = _paid(target)
        fields = {"payment_id": payment_id, "amount": "30", "reason": "Scratched."}
        _by_programs(target, "RefundPayment", fields)
        asked = _types(target, f"payment-{payment_id}").count("PaymentRefundRequested")
        outcome.expect(asked == 1, f"{payment_id}: {asked} refunds of 30 of 40")
    return outcome


def approvals(target: Target, times: int) -> Outcome:
    """Two people sign one request at once, each several times."""
    outcome = Outcome("races: two approvals at once")
    _do(target, "SetApprovalPolicy", policy="attack", commands=["HoldOrder"])
    signers = [target.operator(name, "admin") for name in SIGNERS]
    for _ in range(times):
        order_id = _order(target)
        target.settle()
        asked = _do(target, "HoldOrder", order_id=order_id, reason="other").json
        request_id = asked["request_id"]
        digest = _digest(target, request_id)
        sign = {"request_id": request_id, "decision": "approve", "digest": digest}
        calls = []
        for signer in signers:
            form = {"csrf_token": signer.csrf()} | sign
            for _ in range(AT_ONCE // 2):
                copy = Visitor(target.port, cookies=dict(signer.cookies))
                calls.append(partial(copy.post, "/commands/SignRequest", form))
        statuses = sorted(each.status for each in at_once(calls))
        eventually(partial(_has, target, f"order-{order_id}", "OrderHeld"), 30)
        held = _types(target, f"order-{order_id}").count("OrderHeld")
        outcome.expect(held == 1, f"{order_id} was held {held} times; signatures got {statuses}")
    _do(target, "RemoveApprovalPolicy", policy="attack")
    return outcome


def _digest(target: Target, request_id: str) -> str:
    found: list[str] = []

    def shown() -> bool:
        query = f"{API}/queries/GetApprovalRequest?request_id={request_id}"
        reply = target.program("admin").get(query)
        if reply.status == 200 and reply.json["value"]:
            found.append(reply.json["value"]["digest"])
        return bool(found)

    assert eventually(shown, 20), f"request {request_id} is not shown"
    return found[0]


def stock(target: Target, times: int) -> Outcome:
    """More orders at once than there is stock: what is reserved is never more than there is."""
    outcome = Outcome("races: the last items in stock")
    for number in range(times):
        sku = f"RACE-{number}"
        _do(target, "AddProduct", sku=sku, description="The last ones")
        _do(target, "ReceiveStock", sku=sku, reference="D-1", quantity=3)
        orders = [_order(target, sku, 1) for _ in range(AT_ONCE)]
        programs = [target.program("admin") for _ in orders]
        at_once(
            [
                partial(program.post_json, f"{API}/commands/ApproveOrder", {"order_id": order_id})
                for program, order_id in zip(programs, orders, strict=True)
            ]
        )
        target.settle()
        rows = rows_of(target.program("admin").get(f"{API}/queries/ListProducts?limit=200"))
        [row] = [each for each in rows if each["sku"] == sku]
        outcome.expect(row["reserved"] <= 3, f"{sku}: {row['reserved']} of 3 reserved")
    return outcome


def recovery_codes(target: Target, times: int) -> Outcome:
    """One recovery code at several sign-ins at once."""
    outcome = Outcome("races: one recovery code")
    target.operator("rosa", "operator")
    factors = target.services.second_factors
    app = factors.new_app("rosa")
    codes = factors.add_app("rosa", app.sealed, pyotp.TOTP(app.key).now())
    for code in codes[:times]:
        visitors = [target.anyone() for _ in range(4)]
        for each in visitors:
            sign_in(each, "rosa")
            each.token = ""
            each.csrf()
        at_once(
            [
                partial(each.submit, "/sign-in/second-factor", **{"proof-code": code})
                for each in visitors
            ]
        )
        inside = sum(each.get("/account").status == 200 for each in visitors)
        outcome.expect(inside <= 1, f"{inside} signed in with one code")
    return outcome


def links(target: Target, times: int) -> Outcome:
    """One sign-in link in several hands at once."""
    outcome = Outcome("races: one sign-in link")
    for number in range(times):
        name = f"invited-{number}"
        target.services.accounts.send(InviteOperator(operator=name, role="viewer"))
        found = target.services.links.open_of(name)
        assert found is not None
        link = target.services.links.take(name, found.made_by)
        assert link is not None
        path = f"/sign-in/link/{name}/{link.secret}"
        visitors = [target.anyone() for _ in range(4)]
        for each in visitors:
            each.get(path)
            each.csrf()
        passwords = [f"{PASSWORD} and {each}" for each in range(len(visitors))]
        replies = at_once(
            [
                partial(each.submit, path, new=new, again=new)
                for each, new in zip(visitors, passwords, strict=True)
            ]
        )
        chosen = sum(each.status == 303 for each in replies)
        outcome.expect(chosen == 1, f"{name}: {chosen} passwords were chosen")
    return outcome


def _paid(target: Target) -> str:
    payment_id = f"P-{uuid.uuid4().hex[:12]}"
    given = {"payment_id": payment_id, "order_id": _order(target), "amount": "40"}
    _do(target, "RecordPayment", currency="EUR", method="Cash", reference=payment_id, **given)
    return payment_id


def _by_programs(target: Target, name: str, fields: dict[str, Any]) -> list[Reply]:
    programs = [target.program("admin") for _ in range(AT_ONCE)]
    return at_once([partial(each.post_json, f"{API}/commands/{name}", fields) for each in programs])
