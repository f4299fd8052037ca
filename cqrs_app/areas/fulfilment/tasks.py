"""The tasks that an order's way sends to other areas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cqrs_app.areas.fulfilment.types import Argument
from cqrs_app.areas.inventory.commands import CommitStock, ReleaseStock, ReserveStock
from cqrs_app.areas.orders.commands import CancelOrder, HoldOrder, ReleaseOrder
from cqrs_app.areas.payments.commands import (
    AuthorisePayment,
    CapturePayment,
    RefundPayment,
    VoidPayment,
)
from cqrs_app.kernel.messages.messages import Command, parse

SENDS = MappingProxyType(
    {
        each.__name__: each
        for each in (
            ReserveStock,
            ReleaseStock,
            CommitStock,
            AuthorisePayment,
            CapturePayment,
            VoidPayment,
            RefundPayment,
            HoldOrder,
            ReleaseOrder,
            CancelOrder,
        )
    }
)


@dataclass(frozen=True, slots=True)
class Task:
    """`subject` is the product, payment or order it is about; `arguments` are the command's
    fields as texts."""

    name: str
    subject: str
    arguments: Mapping[str, str]


def key_of(task: str, subject: str) -> str:
    return f"{task} {subject}"


def command_for(task: str, arguments: Mapping[str, str]) -> Command:
    """Raises Invalid where the arguments do not fit."""
    command: Command = parse(SENDS[task], arguments, from_text=True)
    return command


def told(arguments: Iterable[Argument]) -> dict[str, str]:
    """A sent task's arguments by name."""
    return {each.name: each.text for each in arguments}
