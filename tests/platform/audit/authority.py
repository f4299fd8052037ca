"""A time-stamping authority: OpenSSL behind an HTTP server."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.platform.webhooks.receiver import Received, Receiver, listening
from tests.services.obtainable import unobtainable

CONFIGURATION = """
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:true
[stamping]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
[stamps]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/stamping.pem
signer_key = {folder}/stamping.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


@contextmanager
def authority(folder: Path) -> Iterator[Receiver]:
    """It stamps whatever it is asked to; its root certificate is `root.pem` in `folder`."""
    if shutil.which("openssl") is None:
        unobtainable("openssl", "apt-get install openssl")
    folder.mkdir()
    (folder / "serial").write_text("01")
    (folder / "openssl.cnf").write_text(CONFIGURATION.format(folder=folder))
    _certificate(folder, "root", "authority")
    _certificate(folder, "stamping", "stamping", "-CA", "root.pem", "-CAkey", "root.key")

    def stamped(request: Received) -> bytes:
        assert request.headers["content-type"] == "application/timestamp-query"
        (folder / "query").write_bytes(request.body)
        arguments = ("-config", "openssl.cnf", "-section", "stamps", "-queryfile", "query")
        return _openssl(folder, "ts", "-reply", *arguments)

    with listening() as server:
        server.answer = lambda request: 200
        server.body = stamped
        yield server


def _certificate(folder: Path, name: str, extensions: str, *signed_by: str) -> None:
    _openssl(
        folder,
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"),
        *("-config", "openssl.cnf", "-extensions", extensions),
        *("-keyout", f"{name}.key", "-out", f"{name}.pem", *signed_by),
    )


def _openssl(folder: Path, *arguments: str) -> bytes:
    done = subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
    return done.stdout
