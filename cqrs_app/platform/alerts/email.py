"""Notices by e-mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage

from cqrs_app.platform.alerts.notices import Notice
from cqrs_app.platform.mail import Mailer, printable


@dataclass(frozen=True, slots=True, repr=False)
class Email:
    """To these addresses, through the server at `url`: see Mailer."""

    url: str
    sender: str
    recipients: Sequence[str]
    shop: str
    name: str = "email"

    def send(self, notice: Notice) -> str:
        """One attempt: a sentence if it was not accepted, empty if it was."""
        message = EmailMessage()
        message["Subject"] = printable(f"[{self.shop}] {notice.title}")
        message["To"] = ", ".join(self.recipients)
        message.set_content(f"{notice.title}\n\n{notice.body}\n")
        message_id = f"alert-{notice.id}-{notice.created_at:%Y%m%d%H%M%S}"
        return Mailer(self.url, self.sender).send(message, message_id)
