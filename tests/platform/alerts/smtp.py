"""A real SMTP server that keeps messages, or refuses them as a test specifies."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast


@dataclass
class MailServer:
    """`answer` is what it says once it has a message, `goodbye` at the end; `credentials` are those
    it was given."""

    port: int
    messages: list[EmailMessage] = field(default_factory=list)
    answer: str = "250 OK"
    goodbye: str = "221 Bye"
    credentials: list[str] = field(default_factory=list)


@contextmanager
def receiving() -> Iterator[MailServer]:
    """A server that runs until the end of the block."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 mail.example")
            for line in iter(self.rfile.readline, b""):
                verb = line.split()[0].upper()
                if verb == b"EHLO":
                    self._say("250-mail.example\r\n250 AUTH PLAIN")
                elif verb == b"DATA":
                    self._say("354 Go on")
                    self._take()
                elif verb == b"QUIT":
                    self._say(made.goodbye)
                    return
                else:
                    self._say("250 OK")

        def _take(self) -> None:
            lines = list(iter(self.rfile.readline, b".\r\n"))
            if made.answer.startswith("2"):
                found = message_from_bytes(b"".join(lines), policy=policy.default)
                made.messages.append(cast(EmailMessage, found))
            self._say(made.answer)

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        made = MailServer(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
