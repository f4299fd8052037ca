"""One request, to the address that was checked and within its time, whatever the name resolves
to."""

from __future__ import annotations

import ipaddress
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cqrs_app.platform.webhooks import sending
from cqrs_app.platform.webhooks.sending import post
from tests.platform.webhooks.receiver import Receiver
from tests.services.obtainable import unobtainable

HERE = (ipaddress.ip_network("127.0.0.0/8"),)


def resolving(monkeypatch: pytest.MonkeyPatch, *ips: str) -> list[str]:
    """Every name has these addresses; returns the names that are looked up."""
    asked: list[str] = []

    def answer(host: str, port: int, *rest: Any, **more: Any) -> list[Any]:
        asked.append(host)
        # Connecting to an address goes through here too.
        found = (host,) if host in ips else ips
        family = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(family[":" in ip], socket.SOCK_STREAM, 6, "", (ip, port)) for ip in found]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


def test_a_message_is_taken_with_any_2xx(receiver: Receiver) -> None:
    for status in (200, 202, 204, 299):
        receiver.answer = lambda received, status=status: status  # type: ignore[misc]
        answer = post(receiver.url, b"{}", {"webhook-id": "evt_1"}, HERE)
        assert answer.taken
        assert answer.status == status
    [first, *_] = receiver.received
    assert first.path == "/hooks?shop=1"
    assert first.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert first.headers["content-type"] == "application/json"
    assert first.headers["webhook-id"] == "evt_1"


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 410, 429, 500, 503])
def test_any_other_answer_is_a_failure_and_no_redirect_is_followed(
    receiver: Receiver, status: int
) -> None:
    receiver.answer = lambda received: status
    answer = post(receiver.url, b"{}", {}, HERE)
    assert not answer.taken
    assert answer.status == status
    assert f"answered {status}" in answer.error
    assert answer.gone == (status == 410)
    assert len(receiver.received) == 1


def test_no_proxy_of_the_environment_is_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert post(receiver.url, b"{}", {}, HERE).taken


def test_nothing_is_sent_to_this_machine_unless_it_is_allowed(receiver: Receiver) -> None:
    answer = post(receiver.url, b"{}", {}, ())
    assert answer.status is None
    assert "not a public address" in answer.error
    assert "WEBHOOK_ALLOWED_NETWORKS" in answer.error
    assert receiver.received == []


def test_a_name_that_leads_inside_is_refused_once_resolved(receiver: Receiver) -> None:
    answer = post(f"https://localhost:{receiver.port}/", b"{}", {}, ())
    assert "not a public address" in answer.error, answer
    assert receiver.received == []


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1"])
def test_a_number_that_resolvers_take_for_an_address_is_not_resolved(
    receiver: Receiver, host: str
) -> None:
    answer = post(f"https://{host}:{receiver.port}/", b"{}", {}, ())
    assert "Write an address such as" in answer.error, answer
    assert receiver.received == []


def test_one_private_address_among_public_ones_is_enough_to_refuse(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolving(monkeypatch, "93.184.215.14", "127.0.0.1")
    answer = post(f"https://receiver.test:{receiver.port}/", b"{}", {}, ())
    assert " is not a public address" in answer.error


def test_the_name_is_asked_for_once_and_the_connection_goes_to_that_address(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = resolving(monkeypatch, "127.0.0.1")
    assert post(f"http://receiver.test:{receiver.port}/", b"{}", {}, HERE).taken
    assert asked.count("receiver.test") == 1
    assert receiver.received[0].headers["host"] == f"receiver.test:{receiver.port}"


def test_the_next_address_is_tried_when_one_does_not_answer(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolving(monkeypatch, "127.0.0.2", "127.0.0.1")
    assert post(f"http://receiver.test:{receiver.port}/", b"{}", {}, HERE).taken


def test_a_name_that_does_not_exist_is_a_failure() -> None:
    answer = post("https://receiver.invalid/", b"{}", {}, HERE)
    assert answer.status is None
    assert answer.error == "The name of the receiver could not be resolved."


def test_a_port_nobody_listens_on_is_a_failure() -> None:
    answer = post("http://127.0.0.1:9/", b"{}", {}, HERE)
    assert answer.error == "The receiver could not be reached: Connection refused."


@pytest.fixture
def talker() -> Iterator[tuple[int, list[bytes]]]:
    """A port that says what a test puts in the list, one piece every tenth of a second."""
    pieces: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))

    def talk() -> None:
        while True:
            try:
                stream, _ = server.accept()
            except OSError:
                return
            with stream:
                try:
                    for piece in pieces:
                        stream.sendall(piece)
                        time.sleep(0.1)
                except OSError:
                    continue

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    yield server.getsockname()[1], pieces
    # Closing alone would not wake the thread that waits.
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(60)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_receiver_that_dribbles_is_cut_off(
    talker: tuple[int, list[bytes]], monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setattr(sending, "WHOLE_SECONDS", 0.7)
    port, pieces = talker
    # Either a header that never ends, or the first bytes of a TLS record that never comes.
    start = [b"HTTP/1.1 200 OK\r\n"] if scheme == "http" else [b"\x16\x03\x03\x40\x00"]
    pieces += [*start, *([b"x"] * 400)]
    started = time.monotonic()
    answer = post(f"{scheme}://127.0.0.1:{port}/", b"{}", {}, HERE)
    assert time.monotonic() - started < 20
    assert answer.error == "No answer within 0.7 seconds."
    assert answer.status is None


def test_what_a_receiver_says_is_kept_as_one_short_line(
    talker: tuple[int, list[bytes]],
) -> None:
    port, pieces = talker
    pieces.append(b"\x00\x1b[31m junk" + b"x" * 5_000 + b"\r\n")
    error = post(f"http://127.0.0.1:{port}/", b"{}", {}, HERE).error
    assert error.isprintable()
    assert len(error) <= 200


def test_what_is_no_http_is_a_failure(talker: tuple[int, list[bytes]]) -> None:
    port, pieces = talker
    pieces.append(b"220 mail.example ESMTP\r\n")
    answer = post(f"http://127.0.0.1:{port}/", b"{}", {}, HERE)
    assert answer.error.startswith("The receiver did not answer as HTTP has it: 220 mail")


def test_an_endless_answer_is_not_read_to_its_end(
    talker: tuple[int, list[bytes]],
) -> None:
    port, pieces = talker
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n"
    pieces += [head + b"x" * sending.MAX_READ, *([b"x"] * 400)]
    started = time.monotonic()
    assert post(f"http://127.0.0.1:{port}/", b"{}", {}, HERE).taken
    assert time.monotonic() - started < 20


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for receiver.test, and its key."""
    if shutil.which("openssl") is None:
        unobtainable("openssl", "apt-get install openssl")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=receiver.test", "-addext", "subjectAltName=DNS:receiver.test"),
            *("-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


@pytest.fixture
def behind_tls(certificate: tuple[Path, Path]) -> Iterator[int]:
    """A port that answers 204 over TLS, as receiver.test."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = server.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as stream:
                    # Read to the end: closing a connection with unread data discards the answer.
                    sent = b" "
                    while sent and not sent.endswith(b"{}"):
                        sent = stream.recv(65_536)
                    stream.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            except OSError:
                plain.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(60)


def test_tls_is_checked_for_the_name_though_the_connection_goes_to_an_address(
    certificate: tuple[Path, Path], behind_tls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The certificates of the machine are read once per process; here they change.
    monkeypatch.setattr("cqrs_app.platform.webhooks.sending._tls", ssl.create_default_context)
    resolving(monkeypatch, "127.0.0.1")
    unknown = post(f"https://receiver.test:{behind_tls}/", b"{}", {}, HERE)
    assert "CERTIFICATE_VERIFY_FAILED" in unknown.error
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    assert post(f"https://receiver.test:{behind_tls}/", b"{}", {}, HERE).taken
    other = post(f"https://other.test:{behind_tls}/", b"{}", {}, HERE)
    assert "CERTIFICATE_VERIFY_FAILED" in other.error
