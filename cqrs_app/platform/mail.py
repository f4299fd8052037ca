"""E-mail, through the server that the settings name."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import closing, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

SECONDS = 10.0
"""For each answer of the server."""
PORTS = {"smtp": 587, "smtps": 465}
LONGEST_ERROR = 200


@dataclass(frozen=True, slots=True, repr=False)
class Mailer:
    """Sends through the server at `url`: smtps:// (TLS), or smtp:// with STARTTLS where the server
    offers it. A password is sent over TLS only."""

    url: str
    sender: str

    def send(self, message: EmailMessage, message_id: str) -> str:
        """One attempt: a sentence if it was not accepted, empty if it was. `message_id` has to be
        the same for each attempt, so that a repetition can be told."""
        message["From"] = self.sender
        message["Message-ID"] = f"<{message_id}@{self.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        try:
            self._send(message)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            return printable(_trouble(error))
        return ""

    def _send(self, message: EmailMessage) -> None:
        server = urlsplit(self.url)
        host, port = server.hostname or "", server.port or PORTS[server.scheme]
        context = ssl.create_default_context()
        with closing(
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
            # It is accepted, however the server ends the connection.
            with suppress(OSError, smtplib.SMTPException):
                client.quit()


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


def printable(text: str) -> str:
    """One line of limited length: some of the text may come from a server."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return line if len(line) <= LONGEST_ERROR else f"{line[: LONGEST_ERROR - 1]}…"
