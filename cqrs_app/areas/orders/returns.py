"""Returns of an order. A return belongs to its order, whose state alone says how much of each line
has shipped, so two returns can never be for the same unit. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cqrs_app.areas.orders.commands import CancelReturn, ReceiveReturn, RequestReturn
from cqrs_app.areas.orders.events import (
    LineReceived,
    LineToReturn,
    ReturnCancelled,
    ReturnReceived,
    ReturnRequested,
)
from cqrs_app.areas.orders.lines import must_exist
from cqrs_app.areas.orders.rules import (
    MORE_THAN_REQUESTED,
    MORE_THAN_SHIPPED,
    NO_SUCH_LINE,
    NO_SUCH_RETURN,
    has_open_return,
    returnable,
)
from cqrs_app.areas.orders.state import OrderState
from cqrs_app.kernel import Decision, Refused, handles
from cqrs_app.standards.money import exact


@dataclass
class OrderReturns(OrderState):
    """Requesting a return, and closing it."""

    @handles(RequestReturn, when=returnable, refusals=[NO_SUCH_LINE, MORE_THAN_SHIPPED])
    def request_return(self, command: RequestReturn) -> Decision:
        possible = returnable.refusal(self, self.order_id) is None
        for line in command.lines:
            must_exist(self, line.line_no)
            most = self.returnable(line.line_no)
            if possible and line.quantity > most:
                yield MORE_THAN_SHIPPED.because(
                    f"Line {line.line_no} of order {self.order_id} has {max(most, 0)} shipped "
                    f"units to return; {line.quantity} cannot be returned."
                )
        yield ReturnRequested(
            order_id=self.order_id,
            return_id=f"R{self.returns + 1}",
            lines=tuple(
                LineToReturn(line_no=line.line_no, quantity=line.quantity) for line in command.lines
            ),
            reason=str(command.reason),
            note=command.note,
        )

    @handles(
        ReceiveReturn,
        when=has_open_return,
        refusals=[NO_SUCH_RETURN, NO_SUCH_LINE, MORE_THAN_REQUESTED],
    )
    def receive_return(self, command: ReceiveReturn) -> Decision:
        requested = self._requested(command.return_id)
        lines = _received(command, requested)
        yield from self._doubts_about(lines, command.return_id, requested)
        units = {line.line_no: line.restocked + line.written_off for line in lines}
        ever = sum(units.values()) + sum(self.returned.values())
        yield ReturnReceived(
            order_id=self.order_id,
            return_id=command.return_id,
            lines=lines,
            note=command.note,
            currency=self.currency,
            amount=exact(self.share_of(units), self.currency),
            complete=not any(self.left) and ever >= sum(self.sent),
        )

    @handles(CancelReturn, when=has_open_return, refusals=[NO_SUCH_RETURN])
    def cancel_return(self, command: CancelReturn) -> Decision:
        self._requested(command.return_id)
        yield ReturnCancelled(
            order_id=self.order_id, return_id=command.return_id, note=command.note
        )

    def _requested(self, return_id: str) -> dict[int, int]:
        """What this open return is for, by line. Raises NO_SUCH_RETURN."""
        if return_id not in self.returning:
            open_ones = ", ".join(self.returning) or "none"
            raise NO_SUCH_RETURN.because(
                f"Order {self.order_id} has no open return {return_id}; open: {open_ones}."
            )
        return self.returning[return_id]

    def _doubts_about(
        self, lines: tuple[LineReceived, ...], return_id: str, requested: dict[int, int]
    ) -> Iterator[Refused]:
        for line in lines:
            where = f"Return {return_id} of order {self.order_id}"
            most = requested.get(line.line_no)
            if most is None:
                raise NO_SUCH_LINE.because(f"{where} is not for line {line.line_no}.")
            back = line.restocked + line.written_off
            if back > most:
                yield MORE_THAN_REQUESTED.because(
                    f"{where} is for {most} of line {line.line_no}; {back} cannot be received.",
                    "Request another return for the rest.",
                )


def _received(command: ReceiveReturn, requested: dict[int, int]) -> tuple[LineReceived, ...]:
    if not command.lines:
        return tuple(
            LineReceived(line_no=line_no, restocked=quantity, written_off=0)
            for line_no, quantity in requested.items()
        )
    return tuple(
        LineReceived(line_no=line.line_no, restocked=line.restocked, written_off=line.written_off)
        for line in command.lines
        if line.restocked or line.written_off
    )
