"""What happens to the customers, products, orders, payments and claims of one: each command of the
areas, in an order in which it is carried out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cqrs_app.platform.transfer.attachments.files import OrderFiles
from tests.neighbours.console import Console, Somebody, Step

ADDRESS = {"name": "N.", "line1": "Rue Haute 5", "city": "Lille", "country": "France"}


def customers(me: Somebody) -> Iterator[Step]:
    do, customer = me.do, {"customer_id": me.named("c")}
    yield do("RegisterCustomer", **customer, name=me.name, email=f"{me.name}@home.example")
    yield do("RegisterCustomer", customer_id=me.named("d"), name=me.name)
    yield do("RegisterCustomer", customer_id=me.named("e"), name=me.name)
    yield do("UpdateCustomerProfile", **customer, name=me.name, phone="1")
    yield do("ChangeCustomerEmail", **customer, email=f"{me.name}@work.example")
    yield do("ChangeCustomerAddress", **customer, line1="Rue Haute 5", city="Lille")
    yield do("DeactivateCustomer", **customer, reason="On leave until May.")
    yield do("ReactivateCustomer", **customer)


def products(me: Somebody) -> Iterator[Step]:
    do, product = me.do, {"sku": me.named("s")}
    yield do("AddProduct", **product, description=me.name, tracked=True)
    yield do("AddProduct", sku=me.named("t"), description=me.name, tracked=True)
    yield do("RenameProduct", **product, description=me.name + " lamp")
    yield do("SetProductPrice", **product, currency="EUR", price="5")
    yield do("SetLowStockLevel", **product, low_below=3)
    yield do("ExpectStock", **product, reference="PO-1", quantity=50, due="2099-01-01")
    yield do("ReceiveStock", **product, reference="PO-2", quantity=1000)
    yield do("AdjustStock", **product, difference=-1, reason="counted")
    reserved = product | {"order_id": me.named("r")}
    yield do("ReserveStock", **reserved, quantity=3)
    yield do("ChangeReservation", **reserved, quantity=2)
    yield do("CommitStock", **reserved, quantity=1)
    yield do("ReleaseStock", **reserved)
    shared = {"sku": "everyones", "order_id": me.named("r")}
    yield do("ReserveStock", **shared, quantity=3)
    yield do("ChangeReservation", **shared, quantity=2)
    yield do("CommitStock", **shared, quantity=1)
    yield do("ReleaseStock", **shared)
    yield do("RetireProduct", sku=me.named("t"))
    yield do("RestoreProduct", sku=me.named("t"))


def place(me: Somebody, number: str, **more: Any) -> Step:
    line = {"sku": me.named("s"), "quantity": 2, "unit_price": "5"}
    values = {"customer_id": me.named("c"), "customer_name": me.name, "country": "France"}
    values |= {"currency": "EUR", "lines": [line, line | {"sku": "everyones"}]}
    values |= {"shipping_address": ADDRESS, "order_id": me.named(number)}
    return me.do("PlaceOrder", **values | more)


def orders(me: Somebody) -> Iterator[Step]:
    do = me.do
    for number in "0123456789":
        yield place(me, number)
    yield place(me, "mutual", customer_id="everyones")
    yield place(me, "guest", customer_id="")
    one, two, three = ({"order_id": me.named(number)} for number in "123")
    yield do("HoldOrder", **one, reason="payment_check")
    yield do("ReleaseOrder", **one)
    yield do("ChangeShippingAddress", **one, address=ADDRESS | {"city": "Lyon"})
    yield do("ChangeBillingAddress", **one, address=ADDRESS)
    changed = {"line_no": 1, "quantity": 3, "unit_price": "5"}
    yield do("ChangeOrderLines", **one, lines=[changed])
    yield do("AssignOrderToCustomer", **two, customer_id=me.named("d"))
    yield do("AddOrderTag", **one, tag="gift")
    yield do("AddOrderTag", **one, tag="fragile")
    yield do("RemoveOrderTag", **one, tag="gift")
    yield do("AddOrderNote", **one, note="Hello.")
    yield do("AssignOrder", **one, operator=me.name)
    yield do("UnassignOrder", **one)
    yield lambda console: console.services.claims.claim(me.named("1"), "ana")
    yield do("TakeOverOrder", me.name, **one, note="Mine.")
    yield do("SkipOrder", me.name, **two, reason="Later.")
    yield attach(me)
    yield do("RemoveAttachment", **one, number=1)
    yield do("RejectOrder", **two, reason="Not there.")
    yield do("CancelOrder", **three, reason="customer_request")
    credited = {"sku": me.named("s"), "quantity": 1, "unit_price": "5"}
    note = {"customer_id": me.named("c"), "country": "France", "currency": "EUR"}
    yield do("RecordCreditNote", credit_note_id=me.named("n"), **note, lines=[credited])


def attach(me: Somebody) -> Step:
    def step(console: Console) -> None:
        files = OrderFiles(console.kernel.engines.write)
        command = files.receive(me.uuid(90), me.named("1"), f"{me.name}.txt", b"Hello.")
        console.run(command, "ana", me.named("attach"))

    return step


def returns(me: Somebody) -> Iterator[Step]:
    do, order = me.do, {"order_id": me.named("4")}
    yield do("ApproveOrder", **order)
    money = {"currency": "EUR", "method": "cash", "reference": me.name}
    yield do("RecordPayment", payment_id=me.named("p0"), **order, amount="20", **money)
    shipped = {"line_no": 1, "quantity": 2}
    yield do("ShipOrder", **order, lines=[shipped], carrier="DHL", tracking="1")
    yield do("CancelRemainingItems", **order, reason="customer_request")
    yield do("DeliverOrder", **order)
    returned = {"lines": [{"line_no": 1, "quantity": 1}], "reason": "unwanted"}
    yield do("RequestReturn", **order, **returned)
    yield do("CancelReturn", **order, return_id="R1")
    yield do("RequestReturn", **order, **returned)
    yield do("ReceiveReturn", **order, return_id="R2")


def payments(me: Somebody) -> Iterator[Step]:
    do = me.do
    euros = {"currency": "EUR", "method": "tok_visa"}

    def pay(number: str, order: str = "5") -> tuple[dict[str, Any], Step]:
        payment = {"payment_id": me.named("p" + number)}
        order_id = me.named(order) if order else "everyones"
        return payment, do("AuthorisePayment", **payment, order_id=order_id, amount="4", **euros)

    def answer(payment: dict[str, Any], what: str, number: int, **more: Any) -> Step:
        return do(what, **payment, request_no=number, **more or {"reference": me.named("ref")})

    one, authorise = pay("1")
    yield authorise
    yield answer(one, "RecordAuthorisation", 1)
    yield do("CapturePayment", **one)
    yield answer(one, "RecordCapture", 2)
    dispute = {**one, "reference": me.named("dispute")}
    yield do("RecordDispute", **dispute, amount="1", sentence="Why?")
    yield do("ResolveDispute", **dispute, outcome="won")
    yield do("RefundPayment", **one, amount="2", reason="Scratched.")
    yield answer(one, "RecordRefund", 3)
    yield do("MovePayment", **one, order_id=me.named("6"), reason="Mistaken.")
    two, authorise = pay("2")
    yield authorise
    yield answer(two, "RecordAuthorisation", 1)
    yield do("VoidPayment", **two, reason="Mistaken.")
    yield answer(two, "RecordVoid", 2)
    three, authorise = pay("3", order="")
    yield authorise
    yield answer(three, "RecordDecline", 1, code="declined", sentence="No.")
    yield answer(three, "RecordAuthorisation", 1)
    yield do("ClearFlaggedAnswers", **three, note="Called the bank.")
    yield do(
        "RecordPayment",
        payment_id=me.named("p4"),
        order_id="everyones",
        amount="3",
        reference=me.name,
        **euros,
    )


def fulfilment(me: Somebody) -> Iterator[Step]:
    do = me.do
    short = {"sku": me.named("t"), "quantity": 5, "unit_price": "5"}
    for number in ("10", "11", "12"):
        yield place(me, number, lines=[short])
        yield do("ApproveOrder", order_id=me.named(number))
    yield do("RetryFulfilment", order_id=me.named("10"))
    yield do("SkipFulfilmentStep", order_id=me.named("11"), step="stock", reason="In the console.")
    yield do("CancelFulfilment", order_id=me.named("12"), reason="In the console.")


def expenses(me: Somebody) -> Iterator[Step]:
    do = me.do
    claim = {"claim_id": me.named("x1")}
    values = {"purpose": "Train", "amount": "20", "currency": "EUR"}
    yield do("DraftExpenseClaim", me.name, **claim, **values)
    yield do("SubmitExpenseClaim", me.name, **claim, **values)
    yield do("RequestRevision", **claim, changes="Receipt?")
    yield do("ResubmitExpenseClaim", me.name, **claim)
    yield do("ApproveExpenseClaim", **claim)
    yield do("ApproveExpenseClaim", "tina", **claim)
    yield do("RequestExpensePayment", "tina", **claim)
    yield do("PayExpenseClaim", **claim, reference="T-1")
    yield do("AddExpenseNote", **claim, note="Paid.")
    for number, end, by in (
        ("x2", "DenyExpenseClaim", "ana"),
        ("x3", "WithdrawExpenseClaim", me.name),
    ):
        claim = {"claim_id": me.named(number)}
        yield do("SubmitExpenseClaim", me.name, **claim, **values)
        yield do(end, by, **claim, **({"reason": "No."} if by == "ana" else {}))
