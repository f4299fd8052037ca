"""A certificate that expires is an alert, read from a real server."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.platform.alerts import machine
from cqrs_app.platform.alerts.machine import Certificates
from tests.platform.alerts.conftest import OnCall


@contextmanager
def presenting(folder: Path, days: float, port: int = 0) -> Iterator[str]:
    """A server whose certificate is valid for so many days: "HOST:PORT". It answers until the block
    ends."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    builder = builder.public_key(key.public_key()).serial_number(1)
    builder = builder.not_valid_before(now - timedelta(days=90))
    made = builder.not_valid_after(now + timedelta(days=days)).sign(key, hashes.SHA256())
    file = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    def answer() -> None:
        while not done.is_set():
            plain, _ = listener.accept()
            with plain, suppress(OSError), context.wrap_socket(plain, server_side=True) as stream:
                stream.recv(1)

    done = threading.Event()
    with socket.create_server(("127.0.0.1", port)) as listener:
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        address = listener.getsockname()
        yield f"{address[0]}:{address[1]}"
        done.set()
        socket.create_connection(address).close()
        thread.join(60)


@pytest.mark.parametrize(
    ("days", "begun", "title"),
    [
        (3.5, True, "is valid for 3 more days"),
        (60.5, False, "is valid for 60 more days"),
        (-1, True, "has expired"),
    ],
)
def test_the_days_that_a_certificate_is_valid(
    kernel: Kernel, tmp_path: Path, days: float, title: str, *, begun: bool
) -> None:
    with presenting(tmp_path, days) as host:
        [problem] = Certificates([host]).find(kernel)
    assert (problem.subject, problem.has_begun) == (host, begun)
    assert problem.title.endswith(title)


def test_a_host_that_does_not_answer_is_a_problem_too(kernel: Kernel) -> None:
    [problem] = Certificates(["127.0.0.1:1"]).find(kernel)
    assert problem.has_begun
    assert "cannot be read" in problem.title


def test_a_certificate_that_expires_is_an_alert_until_it_is_renewed(
    make_console: Callable[..., Flask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "CERTIFICATE_SECONDS", 0.0)
    with presenting(tmp_path, 3.5) as host:
        on_call = OnCall(make_console(certificate_hosts=host))
        on_call.wait("certificate")
        assert on_call.on() == [f"certificate.{host}"]
        assert on_call.alert(f"certificate.{host}").title.endswith("valid for 3 more days")
    with presenting(tmp_path, 60.5, int(host.partition(":")[2])):
        on_call.look()
    assert on_call.on() == []
    assert on_call.alert(f"certificate.{host}").state == "resolved"
