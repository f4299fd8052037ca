"""Payment requests: stored from the log, then carried out at a gateway."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, get_args

from sqlalchemy import Connection

from cqrs_app.areas.payments.gateway_client import GatewayClient
from cqrs_app.areas.payments.requested import Asking, GatewayRequestStore, keep
from cqrs_app.kernel import BackgroundTask, Event, Recorded, Subscription
from cqrs_app.kernel.effects import Kernel


class PaymentRequests(Subscription):
    """Adds a row for each event that requests something of a gateway."""

    name: ClassVar[str] = "payment_requests"
    events: ClassVar[tuple[type[Event], ...] | None] = get_args(Asking)

    def take(self, batch: Sequence[Recorded], connection: Connection) -> None:
        keep(connection, batch)


class AskGateways(BackgroundTask):
    """Sends the requests; the key is a request's. `needed` is false where a person answers, so that
    no process is started for it.
    """

    name: ClassVar[str] = "gateway_requests"
    worker: ClassVar[str] = "payment worker"
    at_once: ClassVar[int] = 16

    def __init__(self, teller_of: Callable[[Kernel], GatewayClient], *, needed: bool) -> None:
        self._teller_of = teller_of
        self.supervised = needed

    def due(self, kernel: Kernel) -> list[str]:
        return GatewayRequestStore(kernel.engines.write, kernel.clock).due()

    def work(self, kernel: Kernel, key: str) -> bool:
        self._teller_of(kernel).ask(key)
        return False
