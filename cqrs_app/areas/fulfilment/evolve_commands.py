"""How a fulfilment process changes with the commands it sends. Pure."""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType

from msgspec.structs import replace

from cqrs_app.areas.fulfilment.attempts import refused
from cqrs_app.areas.fulfilment.evolve_payments import waiting
from cqrs_app.areas.fulfilment.inputs import CommandEnded, CommandsSent
from cqrs_app.areas.fulfilment.process import FulfilmentProcess, Goods, OutgoingCommand, Paid

PAYMENT_COMMANDS = MappingProxyType(
    {
        "AuthorisePayment": "authorisation",
        "CapturePayment": "capture",
        "VoidPayment": "void",
        "RefundPayment": "refund",
    }
)
"""The gateway's answer that each command requests, or is."""

MISSING = frozenset({"out_of_stock", "product_retired"})
NOT_KEPT = frozenset({"no_such_product", "not_tracked"})
NOT_HELD = frozenset({"not_reserved", "more_than_reserved"})
"""A person released or shipped the stock by hand: correcting it is up to them."""
ALREADY_GIVEN_UP = frozenset({"already_cancelled", "already_rejected"})
BEYOND_ORDER = "beyond_order"
"""Somebody has paid since the charge was decided."""


def commands_sent(process: FulfilmentProcess, item: CommandsSent) -> FulfilmentProcess:
    payments = sum(each.name == "AuthorisePayment" for each in item.commands)
    return replace(
        process,
        open=process.open | {each.no: each for each in item.commands},
        payments_begun=process.payments_begun + payments,
    )


def command_ended(process: FulfilmentProcess, item: CommandEnded) -> FulfilmentProcess:
    command = process.open.get(item.no)
    if command is None:
        return process
    others = {no: each for no, each in process.open.items() if no != item.no}
    process = replace(process, open=others)
    goods = process.goods.get(command.subject)
    if item.outcome == "done":
        return _succeeded(process, command)
    if goods and (found := _stock_refused(command, goods, item)):
        return replace(process, goods=process.goods | {command.subject: found})
    if command.name == "CancelOrder" and item.code in ALREADY_GIVEN_UP:
        return replace(process, given_up=True)
    if item.code == "payment_exists":
        return process
    if item.code == BEYOND_ORDER and _is_outdated(process, command):
        return process
    if command.name == "CancelOrder":
        process = replace(process, cancel_reason="")
    return refused(process, command.key, item.sentence)


def _is_outdated(process: FulfilmentProcess, charge: OutgoingCommand) -> bool:
    """Whether the payment that made this charge too much is known by now: less is charged, or
    nothing. Otherwise the refusal stands until that payment is taken in."""
    missing = process.owed - process.received
    return process.is_awaiting_money or missing < Decimal(charge.arguments["amount"])


def _succeeded(process: FulfilmentProcess, command: OutgoingCommand) -> FulfilmentProcess:
    """The command's own effect, applied at once: its events arrive later and say the same."""
    if command.name in PAYMENT_COMMANDS:
        paid = process.payments.get(command.subject) or Paid(process.currency)
        paid = waiting(paid, PAYMENT_COMMANDS[command.name])
        return replace(process, payments=process.payments | {command.subject: paid})
    if command.name == "CancelOrder":
        return replace(process, given_up=True)
    if command.name in ("HoldOrder", "ReleaseOrder"):
        held = command.name == "HoldOrder"
        return replace(process, held=held, held_by_us=held)
    goods = _stock_moved(command, process.goods[command.subject])
    return replace(process, goods=process.goods | {command.subject: goods})


def _stock_moved(command: OutgoingCommand, goods: Goods) -> Goods:
    match command.name:
        case "ReserveStock" | "ChangeReservation":
            enough = command.quantity >= goods.to_ship
            goods = replace(goods, held=command.quantity, outcome="reserved" if enough else "")
            return replace(goods, sentence="", arrived=False)
        case "ReleaseStock":
            return replace(goods, outcome="", held=0)
        case "CommitStock":
            held, committed = goods.held - command.quantity, goods.committed + command.quantity
            return replace(goods, held=held, committed=committed)
        case "AdjustStock":
            return replace(goods, restock=goods.restock - int(command.arguments["difference"]))
    raise ValueError(f"{command.name} moves no stock")


def _stock_refused(command: OutgoingCommand, goods: Goods, item: CommandEnded) -> Goods | None:
    """None where a person has to look at it."""
    match command.name:
        case "ReserveStock" | "ChangeReservation" if item.code in MISSING | NOT_KEPT:
            outcome = "missing" if item.code in MISSING else "not_kept"
            if outcome == "missing" and (goods.arrived or command.quantity != goods.to_ship):
                return replace(goods, outcome="", sentence="", arrived=False)
            return replace(goods, outcome=outcome, sentence=item.sentence, arrived=False)
        case "CommitStock" | "ChangeReservation" if item.code in NOT_HELD:
            return replace(goods, held=0)
        case "AdjustStock" if item.code in NOT_KEPT:
            return replace(goods, restock=0)
    return None
