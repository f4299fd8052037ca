"""Files attached to an order. No event holds the file itself. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from cqrs_app.areas.orders.commands import AttachFile, RemoveAttachment
from cqrs_app.areas.orders.events import AttachmentRemoved, FileAttached
from cqrs_app.areas.orders.rules import (
    ATTACHED,
    NO_SUCH_ATTACHMENT,
    NO_SUCH_FILE,
    NO_SUCH_ORDER,
    PERSON_ERASED,
    TOO_MANY_ATTACHMENTS,
    exists,
)
from cqrs_app.areas.orders.state import OrderState
from cqrs_app.areas.orders.types import MOST_ATTACHMENTS
from cqrs_app.kernel import Decision, handles


@dataclass
class OrderAttachments(OrderState):
    """Attaching a file and removing it. Offered in a panel, not among the order's actions."""

    @handles(
        AttachFile,
        refusals=[NO_SUCH_ORDER, NO_SUCH_FILE, ATTACHED, TOO_MANY_ATTACHMENTS, PERSON_ERASED],
    )
    def attach(self, command: AttachFile) -> Decision:
        exists(self, command.order_id)
        if command.file_id in self.attachments:
            raise ATTACHED.because(f"Order {self.order_id} already has this file.")
        if sum(map(bool, self.attachments)) >= MOST_ATTACHMENTS:
            raise TOO_MANY_ATTACHMENTS(
                f"Order {self.order_id} has {MOST_ATTACHMENTS} attachments. The file was not kept. "
                "Remove one first."
            )
        yield FileAttached(
            order_id=command.order_id,
            customer_id=self.customer_id,
            number=len(self.attachments) + 1,
            file_id=command.file_id,
            name=command.name,
            media_type=command.media_type,
            size=command.size,
            sha256=command.sha256,
        )

    @handles(RemoveAttachment, refusals=[NO_SUCH_ORDER, NO_SUCH_ATTACHMENT])
    def remove_attachment(self, command: RemoveAttachment) -> Decision:
        exists(self, command.order_id)
        file_id = dict(enumerate(self.attachments, start=1)).get(command.number)
        if not file_id:
            raise NO_SUCH_ATTACHMENT.because(
                f"Order {self.order_id} has no attachment {command.number}."
            )
        yield AttachmentRemoved(
            order_id=command.order_id,
            number=command.number,
            file_id=file_id,
            reason=command.reason,
        )
