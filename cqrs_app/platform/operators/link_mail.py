"""Sign-in links by e-mail, through the server that notices of alerts go through."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage

from cqrs_app.kernel.commands.context import new_id
from cqrs_app.platform.mail import Mailer, printable
from cqrs_app.platform.operators.links import SignInLink

TEXT = """\
Choose a password for your account {operator} at {shop}:

{address}

The link works once, until {until:%Y-%m-%d %H:%M} UTC. If you did not expect it, tell
an administrator.
"""


@dataclass(frozen=True, slots=True)
class LinkMail:
    mailer: Mailer
    shop: str

    def send(self, link: SignInLink, address: str, to: str) -> str:
        """One attempt: a sentence if it was not accepted, empty if it was."""
        message = EmailMessage()
        message["Subject"] = printable(f"[{self.shop}] Choose a password")
        message["To"] = to
        message.set_content(
            TEXT.format(
                operator=link.operator,
                shop=self.shop,
                address=address,
                until=link.expires_at,
            )
        )
        return self.mailer.send(message, f"sign-in-{new_id()}")
