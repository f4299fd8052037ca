"""What happened to payments. An event carries what its readers need: the order, the currency, the
gateway. A request is carried out by a job, once per event, under the event's own id (see
gateway_client.py).
"""

from __future__ import annotations

from decimal import Decimal

from cqrs_app.kernel import Event, event


@event()
class PaymentAuthorisationRequested(Event):
    payment_id: str
    order_id: str
    request_no: int
    amount: Decimal
    currency: str
    method: str
    gateway: str


@event()
class PaymentAuthorised(Event):
    payment_id: str
    order_id: str
    request_no: int
    amount: Decimal
    currency: str
    gateway: str
    reference: str


@event()
class PaymentCaptureRequested(Event):
    payment_id: str
    order_id: str
    request_no: int
    amount: Decimal
    currency: str
    gateway: str


@event()
class PaymentCaptured(Event):
    payment_id: str
    order_id: str
    request_no: int
    amount: Decimal
    currency: str
    gateway: str
    reference: str


@event()
class PaymentVoidPlanned(Event):
    """To be voided as soon as its authorisation is answered."""

    payment_id: str
    order_id: str
    reason: str


@event()
class PaymentVoidRequested(Event):
    payment_id: str
    order_id: str
    request_no: int
    amount: Decimal
    currency: str
    gateway: str
    reason: str


@event()
class PaymentVoided(Event):
    payment_id: str
    order_id: str
    request_no: int
    amount: Decimal
    currency: str
    gateway: str
    reference: str


@event()
class PaymentRefundRequested(Event):
    payment_id: str
    order_id: str
    request_no: int
    amount: Decimal
    currency: str
    gateway: str
    reason: str


@event()
class PaymentRefunded(Event):
    payment_id: str
    order_id: str
    request_no: int
    amount: Decimal
    currency: str
    gateway: str
    reference: str


@event()
class PaymentRecorded(Event):
    """Money that came in without a gateway."""

    payment_id: str
    order_id: str
    amount: Decimal
    currency: str
    gateway: str
    method: str
    reference: str
    note: str


@event()
class PaymentDeclined(Event):
    """The gateway declined a request; `asked` is the kind of request."""

    payment_id: str
    order_id: str
    request_no: int
    asked: str
    amount: Decimal
    currency: str
    code: str
    sentence: str


@event()
class PaymentAnswerFlagged(Event):
    """A second, different answer to a request; it changed nothing."""

    payment_id: str
    order_id: str
    request_no: int
    asked: str
    answer: str
    reference: str
    amount: Decimal
    currency: str
    sentence: str


@event()
class PaymentFlagged(Event):
    """The payment does not fit its order, for the reason in `sentence`, and was accepted
    nevertheless.
    """

    payment_id: str
    order_id: str
    code: str
    sentence: str


@event()
class PaymentMoved(Event):
    """What the shop has of the payment, `amount`, counts for `order_id` from now on."""

    payment_id: str
    order_id: str
    from_order_id: str
    amount: Decimal
    currency: str
    gateway: str
    reason: str


@event()
class FlaggedAnswersCleared(Event):
    payment_id: str
    order_id: str
    note: str


@event()
class PaymentDisputed(Event):
    payment_id: str
    order_id: str
    amount: Decimal
    currency: str
    gateway: str
    reference: str
    sentence: str


@event()
class PaymentDisputeResolved(Event):
    payment_id: str
    order_id: str
    amount: Decimal
    currency: str
    gateway: str
    reference: str
    outcome: str
