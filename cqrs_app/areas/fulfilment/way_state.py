"""What is remembered of an order on its way, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar

from cqrs_app.areas.fulfilment.state import NOTHING, NOWHERE, Goods, Open, Paid, Stand
from cqrs_app.areas.fulfilment.types import Line, Policy
from cqrs_app.areas.fulfilment.words import Step
from cqrs_app.kernel.commands.aggregate import Aggregate


@dataclass
class WayState(Aggregate):
    """`goods` by product number, `payments` by payment number, `open` by task number. `refused`
    are the tasks that are not sent again until something changes, with the sentence why."""

    category: ClassVar[str] = "fulfilment"
    identity: ClassVar[str] = "order_id"

    order_id: str = ""
    begun: bool = False
    currency: str = ""
    total: Decimal = NOTHING
    policy: Policy | None = None
    lines: tuple[Line, ...] = ()
    goods: dict[str, Goods] = field(default_factory=dict)
    payments: dict[str, Paid] = field(default_factory=dict)
    open: dict[int, Open] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    skipped: list[Step] = field(default_factory=list)
    tasks_sent: int = 0
    payments_begun: int = 0
    declines: int = 0
    waits_to_retry: bool = False
    held: bool = False
    held_by_us: bool = False
    given_up: bool = False
    wanted_cancelled: str = ""
    left: bool = False
    delivered: bool = False
    moves: int = 0
    late: bool = False
    stand: Stand = NOWHERE

    @property
    def received(self) -> Decimal:
        """What was ever paid for this order: money that a person gave back later is not asked for
        again."""
        paid = (each.captured for each in self.payments.values() if each.currency == self.currency)
        return sum(paid, NOTHING)

    @property
    def is_paid(self) -> bool:
        return Step.PAYMENT in self.skipped or self.received >= self.total

    @property
    def is_declined_for_good(self) -> bool:
        retries = len(self.policy.retry_after) if self.policy else 0
        return self.declines > retries and not self.is_paid

    @property
    def is_reserving(self) -> bool:
        return any(each.task == "ReserveStock" for each in self.open.values())

    @property
    def stock_is_settled(self) -> bool:
        return Step.STOCK in self.skipped or all(
            goods.outcome in ("reserved", "not_kept") or goods.sent >= goods.wanted
            for goods in self.goods.values()
        )

    @property
    def missing(self) -> dict[str, Goods]:
        return {sku: goods for sku, goods in self.goods.items() if goods.outcome == "missing"}

    @property
    def shortage(self) -> str:
        """What is missing, in sentences."""
        return " ".join(f"{sku}: {goods.sentence}" for sku, goods in self.missing.items())[:500]

    @property
    def waits_in(self) -> Step | None:
        """The step that can be skipped now."""
        if self.given_up:
            return Step.UNDOING
        if self.is_declined_for_good:
            return Step.PAYMENT
        if not self.stock_is_settled:
            return Step.STOCK
        return None if self.is_paid else Step.PAYMENT
