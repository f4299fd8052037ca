"""The arithmetic of a position, at average cost. Pure and exact.

A sale takes its share of the total cost out, rounded once to a ten-thousandth, and the last unit
takes all that is left. So what was paid is always what the position costs plus what was taken out
of it, to the last digit; the average is only shown, and never calculated with. Prices have no more
digits than that, so nothing else is rounded: all amounts are only written with the same digits, as
a snapshot of the state is compared as a text.
"""

from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Context, Decimal

from cqrs_app.kernel import value

SMALLEST = Decimal("0.0001")
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)


@value
class Position:
    """`cost` is what the `quantity` that is held was bought for; `realised` the profit of what was
    sold, negative for a loss."""

    quantity: int = 0
    cost: Decimal = Decimal(0)
    realised: Decimal = Decimal(0)

    @property
    def average(self) -> Decimal | None:
        """The cost of one unit, rounded; None if none is held."""
        return rounded(_EXACT.divide(self.cost, self.quantity)) if self.quantity else None

    def unrealised(self, price: Decimal) -> Decimal:
        """The profit if all were sold at this price."""
        return self.quantity * price - self.cost

    def bought(self, quantity: int, price: Decimal) -> "Position":
        cost = rounded(self.cost + quantity * price)
        return replace(self, quantity=self.quantity + quantity, cost=cost)

    def sold(self, quantity: int, price: Decimal) -> "Position":
        """Raises ValueError if so many are not held."""
        if quantity > self.quantity:
            raise ValueError(f"{quantity} of {self.quantity} cannot be sold")
        left = self.quantity - quantity
        share = _EXACT.divide(_EXACT.multiply(self.cost, quantity), self.quantity)
        out = rounded(share) if left else self.cost
        return Position(
            quantity=left,
            cost=rounded(self.cost - out),
            realised=rounded(self.realised + quantity * price - out),
        )

    def traded(self, side: str, quantity: int, price: Decimal) -> "Position":
        return self.bought(quantity, price) if side == "buy" else self.sold(quantity, price)


NOTHING = Position()


def rounded(amount: Decimal) -> Decimal:
    """To a ten-thousandth, half to even."""
    return amount.quantize(SMALLEST, context=_EXACT)
