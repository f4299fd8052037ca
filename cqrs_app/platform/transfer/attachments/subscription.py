"""Follows the log for files of orders, and deletes those that nothing attached."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sqlalchemy import Connection

from cqrs_app.areas.orders.events import AttachmentRemoved, FileAttached
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.privacy.erasure import SubjectErased
from cqrs_app.kernel.subscriptions.subscription import Subscription
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.transfer.attachments.files import OrderFiles, follow


class FollowAttachments(Subscription):
    """Lists a file once it is attached; deletes it once it is removed or its person erased."""

    name: ClassVar[str] = "order_files"
    events: ClassVar[tuple[type[Event], ...] | None] = (
        FileAttached,
        AttachmentRemoved,
        SubjectErased,
    )

    def take(self, batch: Sequence[Recorded], connection: Connection) -> None:
        follow(connection, batch)


class ForgetStrays(BackgroundTask):
    """Deletes files that were received and not attached. The key is the id of a file."""

    name: ClassVar[str] = "stray_files"
    sends_commands: ClassVar[bool] = False

    def due(self, kernel: Kernel) -> list[str]:
        return OrderFiles(kernel.engines.write, kernel.clock).strays()

    def work(self, kernel: Kernel, key: str) -> bool:
        OrderFiles(kernel.engines.write, kernel.clock).forget(key)
        return False
