"""The background task that mails notifications."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from typing import ClassVar

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.subscriptions.schedule import pause_after
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.mail import Mailer, printable
from cqrs_app.platform.notifications import mails
from cqrs_app.platform.webhooks.tasks import Deliveries

GIVEN_UP_AFTER = timedelta(hours=24)
COLLECTED = "of "
"""The prefix of keys that name an operator whose notifications are to be put in a mail."""


class NotMailed(Exception):
    """A mail that was given up."""


class MailNotifications(BackgroundTask):
    """Puts notifications that are due in mails, and sends these: at least once. A process that is
    killed after the server accepted one sends it again, under the same Message-ID."""

    name: ClassVar[str] = "notification_mails"
    worker: ClassVar[str] = Deliveries.worker
    at_once: ClassVar[int] = 4
    sends_commands: ClassVar[bool] = False

    def __init__(
        self, mailer: Mailer | None, shop: str, chance: Callable[[], float] = random.random
    ) -> None:
        self._mailer = mailer
        self._shop = shop
        self._chance = chance
        self.supervised = mailer is not None

    def due(self, kernel: Kernel) -> list[str]:
        if self._mailer is None:
            return []
        engine, now = kernel.engines.write, kernel.clock()
        collected = [COLLECTED + each for each in mails.operators_due(engine, now)]
        return collected + mails.due(engine, now)

    def work(self, kernel: Kernel, key: str) -> bool:
        engine = kernel.engines.write
        if key.startswith(COLLECTED):
            mails.collect(engine, key.removeprefix(COLLECTED), kernel.clock())
            return False
        mail = mails.take(engine, key, kernel.clock())
        if mail is None or self._mailer is None:
            return False
        error = self._mailer.send(self._message(mail), f"notification-{mail.mail_id}")
        now = kernel.clock()
        hopeless = bool(error) and now - mail.created_at >= GIVEN_UP_AFTER
        state = ("failed" if hopeless else "waiting") if error else "sent"
        again = now + pause_after(mail.attempts + 1, self._chance())
        mails.finish(engine, mail, state, error, again)
        if hopeless:
            kernel.report(NotMailed(error), kind="job", place=self.name, reference=key)
        return False

    def _message(self, mail: mails.Mail) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = printable(f"[{self._shop}] {mail.subject}")
        message["To"] = mail.address
        message.set_content(mail.body)
        return message
