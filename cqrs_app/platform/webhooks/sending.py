"""One HTTP request to a receiver, at exactly the IP address that was checked.

The name is resolved once, all its addresses are checked, and the connection goes to one of them: a
name that resolves differently the second time gains nothing. No redirect is followed and no proxy
used. Whatever a receiver or a network does, nothing here raises.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from cqrs_app.platform.webhooks.targets import (
    Forbidden,
    Ip,
    Network,
    Target,
    require_permitted,
    target_of,
)

CONNECT_SECONDS = 3.0
LONGEST_ERROR = 200
WHOLE_SECONDS = 10.0
MAX_READ = 16_384
"""How many bytes of an answer are read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a request. `status` is None if there was no HTTP answer. `error` is a sentence,
    empty if the receiver accepted the message. `body` is at most MAX_READ bytes long."""

    status: int | None
    error: str
    duration_ms: float
    body: bytes = b""

    @property
    def taken(self) -> bool:
        return not self.error

    @property
    def gone(self) -> bool:
        return self.status == http.client.GONE


def post(url: str, body: bytes, headers: Mapping[str, str], allowed: tuple[Network, ...]) -> Answer:
    """Send `body` to `url`. Addresses in `allowed` may be private, and may use plain http."""
    started = time.perf_counter()
    status, error, answered = None, "", b""
    try:
        status, answered = _exchange(target_of(url), body, headers, allowed)
        if not 200 <= status < 300:
            error = _refusal(status)
    except Forbidden as forbidden:
        error = str(forbidden)
    except TimeoutError:
        error = f"No answer within {WHOLE_SECONDS:g} seconds."
    except (OSError, http.client.HTTPException, ValueError) as trouble:
        error = _trouble(trouble)
    duration_ms = (time.perf_counter() - started) * 1000
    return Answer(status, _fit_to_keep(error), duration_ms, answered)


def _fit_to_keep(text: str) -> str:
    """One printable line of limited length, since some of the text may come from the receiver."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return line if len(line) <= LONGEST_ERROR else f"{line[: LONGEST_ERROR - 1]}…"


def _trouble(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return "The name of the receiver could not be resolved."
    if isinstance(error, OSError):
        return f"The receiver could not be reached: {error.strerror or error}."
    return f"The receiver did not answer as HTTP has it: {str(error) or type(error).__name__}."


def _refusal(status: int) -> str:
    if 300 <= status < 400:
        return f"The receiver answered {status}, a redirect. Redirects are not followed."
    return f"The receiver answered {status} {http.client.responses.get(status, '')}".strip() + "."


def _exchange(
    target: Target, body: bytes, headers: Mapping[str, str], allowed: tuple[Network, ...]
) -> tuple[int, bytes]:
    with _connected(target, _resolve(target, allowed)) as connection:
        connection.request(
            "POST",
            target.path,
            body,
            {"Host": target.authority, "Content-Type": "application/json", **headers},
        )
        response = connection.getresponse()
        # Some receivers abort their work if the answer is not read.
        return response.status, response.read(MAX_READ)


def _resolve(target: Target, allowed: tuple[Network, ...]) -> list[Ip]:
    """All IP addresses of the host. Raises Forbidden unless all are permitted."""
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    ips = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    for ip in ips:
        require_permitted(target, ip, allowed)
    return list(dict.fromkeys(ips))


@contextmanager
def _connected(target: Target, ips: list[Ip]) -> Iterator[http.client.HTTPConnection]:
    """A connection to one of the addresses, cut off at the deadline in whatever state it is."""
    deadline = time.monotonic() + WHOLE_SECONDS
    plain = _connect(target, ips, deadline)
    # Wrapped before the handshake, so that the deadline applies to the handshake too.
    tls = target.scheme == "https"
    stream = _wrapped(plain, target.host) if tls else plain
    cut = threading.Event()

    def cut_off() -> None:
        cut.set()
        try:
            # The plain shutdown: an orderly end of TLS would need the other side.
            socket.socket.shutdown(stream, socket.SHUT_RDWR)
        except OSError:
            return  # it has just ended by itself

    timer = threading.Timer(max(deadline - time.monotonic(), 0.0), cut_off)
    timer.daemon = True
    timer.start()
    try:
        if isinstance(stream, ssl.SSLSocket):
            stream.do_handshake()
        connection = http.client.HTTPConnection(target.host, target.port)
        connection.sock = stream
        yield connection
        if cut.is_set():
            # A response head that was cut off may parse as a complete one.
            raise TimeoutError
    except (OSError, http.client.HTTPException, ValueError) as error:
        if cut.is_set():
            raise TimeoutError from error
        raise
    finally:
        timer.cancel()
        stream.close()


def _connect(target: Target, ips: list[Ip], deadline: float) -> socket.socket:
    """A socket connected to the first address that answers."""
    trouble: OSError = OSError("the name has no address")
    for ip in ips:
        patience = min(CONNECT_SECONDS, deadline - time.monotonic())
        if patience <= 0:
            break
        try:
            stream = socket.create_connection((str(ip), target.port), timeout=patience)
        except TimeoutError:
            trouble = OSError(f"no connection within {CONNECT_SECONDS:g} seconds")
            continue
        except OSError as error:
            trouble = error
            continue
        stream.settimeout(WHOLE_SECONDS)
        return stream
    raise trouble


def _wrapped(plain: socket.socket, host: str) -> ssl.SSLSocket:
    return _tls().wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)


@cache
def _tls() -> ssl.SSLContext:
    # Once per process, since loading the system's certificates takes longer than a delivery.
    return ssl.create_default_context()
