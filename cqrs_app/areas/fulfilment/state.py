"""What an order's way remembers. Pure: plain values that its events leave behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

NOTHING = Decimal(0)


@dataclass
class Goods:
    """One product of the order. `outcome` of the last attempt to reserve it: empty before there
    is one, reserved, not_kept (nothing of it is ever reserved), or missing, with a sentence.
    `held` is what is reserved now, `sent` what left the house, `committed` what stock knows of."""

    wanted: int
    outcome: str = ""
    sentence: str = ""
    held: int = 0
    sent: int = 0
    committed: int = 0

    def reserve(self, quantity: int) -> None:
        self.outcome, self.sentence, self.held = "reserved", "", quantity

    def release(self, quantity: int) -> None:
        self.outcome, self.held = "", 0

    def commit(self, quantity: int) -> None:
        self.held -= quantity
        self.committed += quantity


@dataclass
class Paid:
    """One payment of the order. `waits` are the answers that are still to come."""

    currency: str
    authorised: Decimal = NOTHING
    captured: Decimal = NOTHING
    refunded: Decimal = NOTHING
    waits: list[str] = field(default_factory=list)
    voided: bool = False
    declined: bool = False

    @property
    def kept(self) -> Decimal:
        """What the shop has of it."""
        return self.captured - self.refunded

    @property
    def to_capture(self) -> Decimal:
        return NOTHING if self.declined else self.to_void

    @property
    def to_void(self) -> Decimal:
        is_let_go = self.voided or "void" in self.waits
        return NOTHING if is_let_go else self.authorised - self.captured

    def wait(self, asked: str) -> None:
        if asked not in self.waits:
            self.waits.append(asked)

    def done(self, asked: str, amount: Decimal) -> None:
        """The gateway did it."""
        self.answered(asked)
        match asked:
            case "authorisation":
                self.authorised += amount
            case "capture":
                self.captured += amount
            case "refund":
                self.refunded += amount
            case "void":
                self.voided = True

    def answered(self, asked: str) -> None:
        if asked in self.waits:
            self.waits.remove(asked)


@dataclass
class Open:
    """A task that was sent and has not ended."""

    task: str
    subject: str
    quantity: int


@dataclass(frozen=True)
class Stand:
    """Where the order stands, as its last FulfilmentMoved says."""

    stage: str
    sentence: str
    late: bool = False
    wants: tuple[str, ...] = ()


NOWHERE = Stand("", "")
"""Before its first move."""
