"""Notices by e-mail."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from cqrs_app.platform.alerts.channels import printable
from cqrs_app.platform.alerts.notices import Notice

SECONDS = 10.0
"""For each answer of the server."""
PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True, repr=False)
class Email:
    """To these addresses, through the server at `url`: smtps:// (TLS), or smtp:// with STARTTLS
    where the server offers it. A password is sent over TLS only."""

    url: str
    sender: str
    recipients: Sequence[str]
    shop: str
    name: str = "email"

    def send(self, notice: Notice) -> str:
        """One attempt: a sentence if it was not accepted, empty if it was."""
        return self.deliver(self._message(notice))

    def deliver(self, message: EmailMessage) -> str:
        """The same for any message."""
        try:
            self._send(message)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            return printable(_trouble(error))
        return ""

    def _message(self, notice: Notice) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = printable(f"[{self.shop}] {notice.title}")
        message["From"], message["To"] = self.sender, ", ".join(self.recipients)
        # The same for each attempt, so that a repetition can be told.
        domain = self.sender.rpartition("@")[2]
        message["Message-ID"] = f"<alert-{notice.id}-{notice.created_at:%Y%m%d%H%M%S}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(f"{notice.title}\n\n{notice.body}\n")
        return message

    def _send(self, message: EmailMessage) -> None:
        server = urlsplit(self.url)
        host, port = server.hostname or "", server.port or PORTS[server.scheme]
        context = ssl.create_default_context()
        with (
            smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
            if server.scheme == "smtps"
            else smtplib.SMTP(host, port, timeout=SECONDS)
        ) as client:
            client.ehlo()
            if server.scheme == "smtp" and client.has_extn("starttls"):
                client.starttls(context=context)
                client.ehlo()
            elif server.scheme == "smtp" and server.password:
                raise ValueError("The server offers no TLS, so the password was not sent.")
            if server.username:
                client.login(unquote(server.username), unquote(server.password or ""))
            client.send_message(message)


def _trouble(error: Exception) -> str:
    match error:
        case smtplib.SMTPAuthenticationError():
            return f"The mail server refused the name or the password ({error.smtp_code})."
        case smtplib.SMTPRecipientsRefused():
            return "The mail server refused every recipient."
        case smtplib.SMTPResponseException():
            text = error.smtp_error
            words = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
            return f"The mail server answered {error.smtp_code}: {words}"
        case TimeoutError():
            return f"The mail server did not answer within {SECONDS:g} seconds."
        case OSError():
            return f"The mail server could not be reached: {error.strerror or error}."
        case _:
            return str(error) or type(error).__name__
