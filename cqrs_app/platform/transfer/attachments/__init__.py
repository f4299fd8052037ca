"""Files that are kept with orders. Their content is in rows of the write store: a log is no place
for it, and what was removed or belonged to a person who was erased can be deleted there."""

from __future__ import annotations

from collections.abc import Callable

from cqrs_app.areas.orders.commands import AttachFile
from cqrs_app.areas.orders.rules import NO_SUCH_FILE
from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import Receipt
from cqrs_app.kernel.commands.middleware import Middleware, Proceed
from cqrs_app.kernel.queries.answers import projected
from cqrs_app.kernel.registry import Area
from cqrs_app.platform.transfer.attachments.queries import OrderAttachments, order_attachments
from cqrs_app.platform.transfer.attachments.subscription import FollowAttachments, ForgetStrays

IsReceived = Callable[[AttachFile], bool]


def attachments_area(is_received: IsReceived) -> Area:
    """The area; `is_received` returns whether the file that a command describes is stored."""
    return Area(
        name="attachments",
        subscriptions=[FollowAttachments()],
        tasks=[ForgetStrays()],
        answers={OrderAttachments: projected(order_attachments)},
        middleware=[only_what_was_received(is_received)],
    )


def only_what_was_received(is_received: IsReceived) -> Middleware:
    """Refuse to attach a file that was not received."""

    def check(call: Call, proceed: Proceed) -> Receipt:
        if isinstance(call.command, AttachFile) and not is_received(call.command):
            raise NO_SUCH_FILE.because(
                f"No such file was received for order {call.command.order_id}.",
                "Send it on the order's page.",
            )
        return proceed(call)

    return check
