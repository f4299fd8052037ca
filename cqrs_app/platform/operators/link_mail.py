"""Sign-in links by e-mail, through the server that notices of alerts go through."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage

from cqrs_app.platform.alerts.channels import printable
from cqrs_app.platform.alerts.email import Email
from cqrs_app.platform.operators.links import SignInLink

TEXT = """\
Choose a password for your account {operator} at {shop}:

{address}

The link works once, until {until:%Y-%m-%d %H:%M} UTC. If you did not expect it, tell
an administrator.
"""


@dataclass(frozen=True, slots=True)
class LinkMail:
    mail: Email

    def send(self, link: SignInLink, address: str, to: str) -> str:
        """One attempt: a sentence if it was not accepted, empty if it was."""
        message = EmailMessage()
        message["Subject"] = printable(f"[{self.mail.shop}] Choose a password")
        message["From"], message["To"] = self.mail.sender, to
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(
            TEXT.format(
                operator=link.operator,
                shop=self.mail.shop,
                address=address,
                until=link.expires_at,
            )
        )
        return self.mail.deliver(message)
