"""A certificate that expires is an alert, read from a real server."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.platform.alerts.machine import Certificates


@contextmanager
def presenting(folder: Path, days: float) -> Iterator[str]:
    """A server whose certificate is valid for so many days: "HOST:PORT"."""
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
        plain, _ = listener.accept()
        with plain, context.wrap_socket(plain, server_side=True) as stream:
            stream.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        thread.join(10)


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
