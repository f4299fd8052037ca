"""How a fulfilment process changes with each thing it takes in. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from cqrs_app.areas.fulfilment.events import (
    FulfilmentCancelled,
    FulfilmentRetried,
    FulfilmentStepSkipped,
)
from cqrs_app.areas.fulfilment.inputs import (
    Approved,
    CommandEnded,
    CommandsSent,
    DeadlinePassed,
    Input,
    Moved,
    OrderChanged,
    PaymentChanged,
    PaymentMoved,
    Placed,
    StockArrived,
)
from cqrs_app.areas.fulfilment.process import (
    NOTHING,
    FulfilmentProcess,
    Goods,
    OutgoingCommand,
    Paid,
)
from cqrs_app.areas.fulfilment.types import Step

GIVEN_UP = frozenset({"OrderCancelled", "OrderRejected"})

US = "fulfilment"
"""The operator under which this process sends its own commands."""

REQUESTED = MappingProxyType(
    {
        "PaymentAuthorisationRequested": "authorisation",
        "PaymentCaptureRequested": "capture",
        "PaymentVoidPlanned": "void",
        "PaymentVoidRequested": "void",
        "PaymentRefundRequested": "refund",
    }
)
ANSWERED = MappingProxyType(
    {
        "PaymentAuthorised": "authorisation",
        "PaymentCaptured": "capture",
        "PaymentVoided": "void",
        "PaymentRefunded": "refund",
    }
)
PAYMENT_COMMANDS = MappingProxyType(
    {
        "AuthorisePayment": "authorisation",
        "CapturePayment": "capture",
        "VoidPayment": "void",
        "RefundPayment": "refund",
    }
)
"""Which answer of the gateway each of these asks for, or is."""

MISSING = frozenset({"out_of_stock", "product_retired"})
NOT_KEPT = frozenset({"no_such_product", "not_tracked"})
NOT_HELD = frozenset({"not_reserved", "more_than_reserved"})
"""Somebody has released it, or taken it out, by hand: the stock is theirs to put right."""
ALREADY_GIVEN_UP = frozenset({"already_cancelled", "already_rejected"})


def evolve(process: FulfilmentProcess, item: Input) -> FulfilmentProcess:
    """The process after an input; the very same object where the input changes nothing."""
    return _EVOLVES[type(item)](process, item)


def _approved(process: FulfilmentProcess, item: Approved) -> FulfilmentProcess:
    if process.begun:
        return process
    goods = dict(process.goods)
    for line in item.lines:
        before = goods.get(line.sku, Goods(wanted=0))
        goods[line.sku] = replace(before, wanted=before.wanted + line.quantity)
    return replace(
        process,
        begun=True,
        placed=True,
        currency=item.currency,
        total=item.total,
        policy=item.policy,
        lines=item.lines,
        goods=goods,
    )


def _order(process: FulfilmentProcess, item: OrderChanged) -> FulfilmentProcess:
    if item.type in GIVEN_UP:
        # Remembered of every order: a payment may still come in. What was refused on the way
        # there is asked for no more.
        return replace(process, given_up=True, refused={})
    if not process.is_known:
        return process
    match item.type:
        case "OrderHeld":
            return replace(process, held=True, held_by_us=item.by == US)
        case "OrderReleased":
            released = replace(process, held=False, held_by_us=False)
            return released if item.by == US else _retry(released)
        case "OrderShipped":
            return _shipped(process, item)
        case "OrderDelivered":
            return replace(process, delivered=True)
        case "RemainingItemsCancelled":
            return _remaining_cancelled(process, item)
    raise ValueError(f"{item.type} is not an input")


def _shipped(process: FulfilmentProcess, item: OrderChanged) -> FulfilmentProcess:
    goods = dict(process.goods)
    # Of an order that is not fulfilled here, only its payments are known.
    for sent in item.sent if process.begun else ():
        sku = process.lines[sent.line_no - 1].sku
        goods[sku] = replace(goods[sku], sent=goods[sku].sent + sent.quantity)
    return replace(process, shipped=True, goods=goods)


def _remaining_cancelled(process: FulfilmentProcess, item: OrderChanged) -> FulfilmentProcess:
    """Nothing else ships: less is wanted and owed, and the order is no longer on hold."""
    process = replace(process, held=False, held_by_us=False)
    if not process.begun:
        return process
    goods = dict(process.goods)
    for cancelled in item.cancelled:
        sku = process.lines[cancelled.line_no - 1].sku
        wanted = goods[sku].wanted - cancelled.quantity
        kept = "" if goods[sku].outcome == "missing" else goods[sku].outcome
        goods[sku] = replace(goods[sku], wanted=wanted, outcome=kept, sentence="")
    after = replace(process, goods=goods, total=process.total - item.amount)
    return replace(after, refundable=process.refundable + process.owed - after.owed)


def _payment(process: FulfilmentProcess, item: PaymentChanged) -> FulfilmentProcess:
    paid = process.payments.get(item.payment_id) or Paid(item.currency)
    # Whatever it is, what was refused before may be right now.
    process = _without_refusals(process, "CapturePayment", "VoidPayment", "RefundPayment", of=item)
    if item.type in REQUESTED:
        paid = _waiting(paid, REQUESTED[item.type])
    elif item.type in ANSWERED:
        paid = _done(paid, ANSWERED[item.type], item)
        if item.type == "PaymentRefunded":
            left = max(process.refundable - item.amount, NOTHING)
            process = replace(process, refundable=left)
    elif item.type == "PaymentRecorded":
        paid = replace(paid, captured=paid.captured + item.amount)
    else:
        paid = _answered(paid, item.asked)
        if item.asked in ("authorisation", "capture"):
            # With nothing authorised there is nothing to void either.
            paid = _answered(paid, "void") if item.asked == "authorisation" else paid
            paid = replace(paid, declined=True)
            if process.begun:
                process = replace(process, declines=process.declines + 1, waits_to_retry=True)
        else:
            name = "VoidPayment" if item.asked == "void" else "RefundPayment"
            process = _refused(process, f"{name} {item.payment_id}", item.sentence)
    return replace(process, payments=process.payments | {item.payment_id: paid})


def _payment_moved(process: FulfilmentProcess, item: PaymentMoved) -> FulfilmentProcess:
    others = {key: paid for key, paid in process.payments.items() if key != item.payment_id}
    if item.to == process.order_id:
        others[item.payment_id] = Paid(item.currency, item.amount, item.amount)
    return replace(process, payments=others, refused={})


def _placed(process: FulfilmentProcess, item: Placed) -> FulfilmentProcess:
    waits = bool(process.payments) and not process.placed
    return replace(process, placed=True) if waits else process


def _waiting(paid: Paid, asked: str) -> Paid:
    return paid if asked in paid.waits else replace(paid, waits=(*paid.waits, asked))


def _answered(paid: Paid, asked: str) -> Paid:
    return replace(paid, waits=tuple(each for each in paid.waits if each != asked))


def _done(paid: Paid, asked: str, item: PaymentChanged) -> Paid:
    paid = _answered(paid, asked)
    match asked:
        case "authorisation":
            return replace(paid, authorised=paid.authorised + item.amount)
        case "capture":
            return replace(paid, captured=paid.captured + item.amount)
        case "refund":
            return replace(paid, refunded=paid.refunded + item.amount)
    return replace(paid, voided=True)


def _stock(process: FulfilmentProcess, item: StockArrived) -> FulfilmentProcess:
    if item.sku not in process.wants:
        return process
    if item.sku in process.reserving:
        # The reservation may have been refused already: it is then tried again.
        goods = replace(process.goods[item.sku], arrived=True)
        process = replace(process, goods=process.goods | {item.sku: goods})
    return _try_stock_again(process)


def _sent(process: FulfilmentProcess, item: CommandsSent) -> FulfilmentProcess:
    payments = sum(each.name == "AuthorisePayment" for each in item.commands)
    return replace(
        process,
        open=process.open | {each.no: each for each in item.commands},
        payments_begun=process.payments_begun + payments,
    )


def _ended(process: FulfilmentProcess, item: CommandEnded) -> FulfilmentProcess:
    command = process.open.get(item.no)
    if command is None:
        return process
    others = {no: each for no, each in process.open.items() if no != item.no}
    process = replace(process, open=others)
    goods = process.goods.get(command.subject)
    if item.outcome == "done":
        return _succeeded(process, command)
    if command.name == "ReserveStock" and goods and item.code in MISSING | NOT_KEPT:
        outcome = "missing" if item.code in MISSING else "not_kept"
        goods = replace(goods, outcome=outcome, sentence=item.sentence, arrived=False)
        if outcome == "missing" and process.goods[command.subject].arrived:
            goods = replace(goods, outcome="", sentence="")
        return replace(process, goods=process.goods | {command.subject: goods})
    if command.name == "CommitStock" and goods and item.code in NOT_HELD:
        return replace(process, goods=process.goods | {command.subject: replace(goods, held=0)})
    if command.name == "CancelOrder" and item.code in ALREADY_GIVEN_UP:
        return replace(process, given_up=True)
    if item.code == "payment_exists":
        return process
    if command.name == "CancelOrder":
        process = replace(process, cancel_reason="")
    return _refused(process, command.key, item.sentence)


def _succeeded(process: FulfilmentProcess, command: OutgoingCommand) -> FulfilmentProcess:
    """The command's own effect, at once: its events come in later and say the same."""
    if command.name in PAYMENT_COMMANDS:
        paid = process.payments.get(command.subject) or Paid(process.currency)
        paid = _waiting(paid, PAYMENT_COMMANDS[command.name])
        return replace(process, payments=process.payments | {command.subject: paid})
    if command.name == "CancelOrder":
        return replace(process, given_up=True)
    if command.name in ("HoldOrder", "ReleaseOrder"):
        held = command.name == "HoldOrder"
        return replace(process, held=held, held_by_us=held)
    goods = process.goods[command.subject]
    match command.name:
        case "ReserveStock":
            goods = Goods(
                wanted=goods.wanted,
                outcome="reserved",
                held=command.quantity,
                sent=goods.sent,
                committed=goods.committed,
            )
        case "ReleaseStock":
            goods = replace(goods, outcome="", held=0)
        case "CommitStock":
            goods = replace(
                goods,
                held=goods.held - command.quantity,
                committed=goods.committed + command.quantity,
            )
    return replace(process, goods=process.goods | {command.subject: goods})


def _refused(process: FulfilmentProcess, key: str, sentence: str) -> FulfilmentProcess:
    return replace(process, refused=process.refused | {key: sentence})


def _without_refusals(
    process: FulfilmentProcess, *names: str, of: PaymentChanged
) -> FulfilmentProcess:
    keys = {f"{name} {of.payment_id}" for name in names}
    if not keys & process.refused.keys():
        return process
    kept = {key: sentence for key, sentence in process.refused.items() if key not in keys}
    return replace(process, refused=kept)


def _retry(process: FulfilmentProcess) -> FulfilmentProcess:
    retries = len(process.policy.retry_after) if process.policy else process.declines
    declines = 0 if process.declines > retries else process.declines
    process = replace(process, refused={}, waits_to_retry=False, declines=declines)
    return _try_stock_again(process)


def _try_stock_again(process: FulfilmentProcess) -> FulfilmentProcess:
    again = {sku: replace(goods, outcome="", sentence="") for sku, goods in process.missing.items()}
    hold = f"HoldOrder {process.order_id}"
    refused = {key: sentence for key, sentence in process.refused.items() if key != hold}
    return replace(process, goods=process.goods | again, refused=refused)


def _deadline_passed(process: FulfilmentProcess, item: DeadlinePassed) -> FulfilmentProcess:
    return _try_stock_again(replace(process, waits_to_retry=False, overdue=True, due_at=None))


def _moved(process: FulfilmentProcess, item: Moved) -> FulfilmentProcess:
    return replace(process, status=item.status, due_at=item.due_at, overdue=False)


def _retried(process: FulfilmentProcess, item: FulfilmentRetried) -> FulfilmentProcess:
    return _retry(process)


def _skipped(process: FulfilmentProcess, item: FulfilmentStepSkipped) -> FulfilmentProcess:
    skipped = dict.fromkeys((*process.skipped, Step(item.step)))
    goods = {
        # What could not be taken from the stock or released is for people to put right.
        sku: replace(each, held=0) if _stock_keys(sku) & process.refused.keys() else each
        for sku, each in process.goods.items()
    }
    return replace(process, skipped=tuple(skipped), goods=goods, refused={})


def _stock_keys(sku: str) -> frozenset[str]:
    return frozenset(f"{name} {sku}" for name in ("CommitStock", "ReleaseStock"))


def _cancelled(process: FulfilmentProcess, item: FulfilmentCancelled) -> FulfilmentProcess:
    return replace(process, cancel_reason=item.reason)


_EVOLVES: Mapping[type, Callable[[FulfilmentProcess, Any], FulfilmentProcess]] = MappingProxyType(
    {
        Approved: _approved,
        OrderChanged: _order,
        PaymentChanged: _payment,
        PaymentMoved: _payment_moved,
        Placed: _placed,
        StockArrived: _stock,
        CommandsSent: _sent,
        CommandEnded: _ended,
        DeadlinePassed: _deadline_passed,
        Moved: _moved,
        FulfilmentRetried: _retried,
        FulfilmentStepSkipped: _skipped,
        FulfilmentCancelled: _cancelled,
    }
)
