"""The state of a fulfilment process: what it knows of one order. Immutable; see evolve.py for its
changes.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from cqrs_app.areas.fulfilment.types import Policy, Stage, Step
from cqrs_app.standards.money import charged

NOTHING = Decimal(0)
RESERVING = ("ReserveStock", "ChangeReservation")
STOCK_COMMANDS = ("CommitStock", "ReleaseStock", "ChangeReservation", "AdjustStock")
"""A refusal of these needs a person to look at the stock."""
_WAITING_FOR_STOCK = frozenset({Stage.RESERVING, Stage.OUT_OF_STOCK})


class OrderedLine(msgspec.Struct, frozen=True):
    """One line of the order; a removed one has a quantity of 0."""

    sku: str
    quantity: int


class Goods(msgspec.Struct, frozen=True, omit_defaults=True):
    """One product of the order, in units. `wanted` is what the order's lines ask for. `outcome` of
    the last attempt to reserve it: empty before there is one, reserved, not_kept (no stock is kept
    of it), or missing, with a sentence. `held` is what is reserved now, `sent` what was shipped,
    `committed` what was taken from stock. `arrived`: more came in while a reservation was under
    way. `restock` is what was returned and is still to be put back into stock."""

    wanted: int
    outcome: str = ""
    sentence: str = ""
    held: int = 0
    sent: int = 0
    committed: int = 0
    arrived: bool = False
    restock: int = 0

    @property
    def to_ship(self) -> int:
        return self.wanted - self.sent

    @property
    def to_commit(self) -> int:
        """Units that have shipped and were reserved, and are not yet taken from stock."""
        return min(self.sent - self.committed, self.held)


class Paid(msgspec.Struct, frozen=True, omit_defaults=True):
    """One payment of the order, in its currency. `waits` are the pending answers."""

    currency: str
    authorised: Decimal = NOTHING
    captured: Decimal = NOTHING
    refunded: Decimal = NOTHING
    waits: tuple[str, ...] = ()
    voided: bool = False
    declined: bool = False

    @property
    def kept(self) -> Decimal:
        """What the shop has of this payment."""
        return self.captured - self.refunded

    @property
    def to_capture(self) -> Decimal:
        return NOTHING if self.declined else self.to_void

    @property
    def to_void(self) -> Decimal:
        released = self.voided or "void" in self.waits
        return NOTHING if released else self.authorised - self.captured


class OutgoingCommand(msgspec.Struct, frozen=True, omit_defaults=True):
    """A command for another area. `no` is its step of this order; `subject` the product, payment
    or order it is about; `arguments` are the command's fields as texts."""

    no: int
    name: str
    subject: str
    arguments: dict[str, str] = {}

    @property
    def key(self) -> str:
        return f"{self.name} {self.subject}"

    @property
    def quantity(self) -> int:
        return int(self.arguments.get("quantity", 0))


class Status(msgspec.Struct, frozen=True):
    """The order's stage, why in a sentence, and whether it has taken too long. The stage is empty
    before anything is known of the order."""

    stage: str = ""
    sentence: str = ""
    late: bool = False


class FulfilmentProcess(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`placed`: there is such an order. `goods` by product number, `payments` by payment number,
    `open` are the commands without an outcome by step. `refused` are commands that are not sent
    again until something changes, with the sentence why. `seen` is the inbox: the last version
    taken in of each order and payment stream. `refundable` is by how much the order costs less
    than it did, less what was refunded since: that is `settled`. `steps` counts what happened,
    `due_at` is when the present wait becomes late."""

    order_id: str
    placed: bool = False
    begun: bool = False
    currency: str = ""
    total: Decimal = NOTHING
    policy: Policy | None = None
    lines: tuple[OrderedLine, ...] = ()
    goods: dict[str, Goods] = {}
    payments: dict[str, Paid] = {}
    open: dict[int, OutgoingCommand] = {}
    refused: dict[str, str] = {}
    skipped: tuple[Step, ...] = ()
    payments_begun: int = 0
    refundable: Decimal = NOTHING
    settled: Decimal = NOTHING
    declines: int = 0
    waits_to_retry: bool = False
    held: bool = False
    held_by_us: bool = False
    given_up: bool = False
    cancel_reason: str = ""
    shipped: bool = False
    delivered: bool = False
    status: Status = Status()
    overdue: bool = False
    due_at: datetime | None = None
    steps: int = 0
    seen: dict[str, int] = {}

    @property
    def is_known(self) -> bool:
        """Whether there is anything to do: the order was approved, has payments, or units of it
        were returned.
        """
        return self.begun or bool(self.payments) or bool(self.goods)

    @property
    def received(self) -> Decimal:
        """What was ever paid for this order, less refunds made because the order costs less. Money
        that a person refunded is not charged again.
        """
        paid = (each.captured for each in self.payments.values() if each.currency == self.currency)
        return sum(paid, NOTHING) - self.settled

    @property
    def owed(self) -> Decimal:
        """What the order costs: its exact sum, rounded once to its currency's places."""
        return charged(self.total, self.currency)

    @property
    def overpaid(self) -> Decimal:
        """What the shop has beyond what the order costs."""
        kept = (each.kept for each in self.payments.values() if each.currency == self.currency)
        return max(sum(kept, NOTHING) - self.owed, NOTHING)

    @property
    def to_refund(self) -> Decimal:
        """What is refunded automatically: by how much the order costs less than was paid."""
        return NOTHING if Step.UNDOING in self.skipped else min(self.refundable, self.overpaid)

    @property
    def is_refunding(self) -> bool:
        """Whether a refund is pending, or about to be requested."""
        waits = {asked for paid in self.payments.values() for asked in paid.waits}
        return "refund" in waits or any(each.name == "RefundPayment" for each in self.open.values())

    @property
    def foreign(self) -> dict[str, Paid]:
        """Payments in another currency than the order's that hold money of it, or are about to."""
        return {
            payment_id: paid
            for payment_id, paid in self.payments.items()
            if paid.currency != self.currency and (paid.kept > 0 or paid.to_void > 0 or paid.waits)
        }

    @property
    def is_paid(self) -> bool:
        return Step.PAYMENT in self.skipped or self.received >= self.owed

    @property
    def is_charging(self) -> bool:
        """Whether a charge is pending or about to be requested: nobody else should pay now."""
        asking = {each.name for each in self.open.values()}
        return self.is_awaiting_money or bool(asking & {"AuthorisePayment", "CapturePayment"})

    @property
    def is_awaiting_money(self) -> bool:
        """Whether a payment waits for the gateway's answer to an authorisation or capture."""
        waits = {asked for paid in self.payments.values() for asked in paid.waits}
        return bool(waits & {"authorisation", "capture"})

    @property
    def is_declined_for_good(self) -> bool:
        retries = len(self.policy.retry_after) if self.policy else 0
        return self.declines > retries and not self.is_paid

    @property
    def reserving(self) -> frozenset[str]:
        """The products with a pending reservation."""
        return frozenset(each.subject for each in self.open.values() if each.name in RESERVING)

    @property
    def stock_is_settled(self) -> bool:
        return Step.STOCK in self.skipped or all(
            goods.outcome in ("reserved", "not_kept") or goods.to_ship <= 0
            for goods in self.goods.values()
        )

    @property
    def missing(self) -> dict[str, Goods]:
        return {
            sku: goods
            for sku, goods in self.goods.items()
            if goods.outcome == "missing" and goods.to_ship > 0
        }

    @property
    def shortage(self) -> str:
        """What is missing, in sentences."""
        return " ".join(f"{sku}: {goods.sentence}" for sku, goods in self.missing.items())[:500]

    @property
    def wants(self) -> frozenset[str]:
        """The products whose arrival would change something."""
        waiting = self.begun and self.status.stage in _WAITING_FOR_STOCK
        return self.reserving | self.missing.keys() if waiting else frozenset()

    @property
    def is_owed(self) -> bool:
        """Whether the shop has money of this order, or a charge or refund is pending."""
        return any(
            paid.waits or paid.kept > NOTHING or paid.to_void > NOTHING
            for paid in self.payments.values()
        )

    @property
    def has_shipped_goods(self) -> bool:
        return any(goods.sent for goods in self.goods.values())

    @property
    def skippable(self) -> Step | None:
        """The step that can be skipped now; None if there is none."""
        if self.given_up or self._was_refused("RefundPayment"):
            return Step.UNDOING
        if self.is_declined_for_good:
            return Step.PAYMENT
        if not self.stock_is_settled or self._was_refused(*STOCK_COMMANDS):
            return Step.STOCK
        return None if self.is_paid else Step.PAYMENT

    def _was_refused(self, *names: str) -> bool:
        """Whether a command with one of these names was refused and waits for a change."""
        return any(key.partition(" ")[0] in names for key in self.refused)
