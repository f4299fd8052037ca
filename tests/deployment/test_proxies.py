"""The configurations of reverse proxies in examples/deploy/, each in front of a real console."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.interfaces.web.conftest import token_in
from tests.processes.running import PROJECT, eventually, free_port, start
from tests.services.obtainable import unobtainable
from tests.services.stores import Templates, migrate

DEPLOY = PROJECT / "examples" / "deploy"
NAME = "desk.example"
CLIENT = "127.0.0.2"
"""The address that the tests come from: not that of the proxy."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy in front of a console, whose log is the file `log`."""

    http_port: int
    https_port: int
    log: Path

    def ask(
        self, path: str, method: str = "GET", body: str = "", *, tls: bool = True, **headers: str
    ) -> tuple[http.client.HTTPResponse, str]:
        port = self.https_port if tls else self.http_port
        raw = socket.create_connection(("127.0.0.1", port), 20, source_address=(CLIENT, 0))
        if tls:
            raw = _unverified().wrap_socket(raw, server_hostname=NAME)
        connection = http.client.HTTPConnection(NAME)
        connection.sock = raw
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(raw):
            connection.request(method, path, body or None, {"Host": NAME, **given})
            response = connection.getresponse()
            return response, response.read().decode()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of the console's name, signed by itself, and its key."""
    folder, key = tmp_path_factory.mktemp("tls"), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


@pytest.fixture(scope="module")
def console(
    templates: Templates, redis_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[int, Path]]:
    """The port and the log of a console that is set up as the configurations say."""
    folder, port = tmp_path_factory.mktemp("behind"), free_port()
    log = folder / "console.log"
    with templates.copy("sqlite", migrate, folder) as databases, log.open("w") as output:
        environment = {
            "DATA_DIR": str(folder),
            "DATABASE_URL": databases.write_url,
            "READ_DATABASE_URL": databases.read_url,
            "REDIS_URL": redis_server,
            "PORT": str(port),
            "WEB_WORKERS": "1",
            "PROXY_HOPS": "1",
            "SECURE_COOKIES": "true",
            "TRUSTED_HOSTS": NAME,
        }
        command = (sys.executable, "-m", "gunicorn", "-c")
        server = start(
            *(*command, "python:cqrs_app.processes.gunicorn_conf", "app:app"),
            environment=environment,
            stderr=output,
        )
        try:
            assert eventually(lambda: _answers(port)), log.read_text()
            yield port, log
        finally:
            server.terminate()
            server.wait()


@pytest.fixture(scope="module", params=["caddy", "nginx"])
def proxy(
    request: pytest.FixtureRequest,
    console: tuple[int, Path],
    certificate: tuple[Path, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Proxy]:
    program = shutil.which(request.param, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        unobtainable(request.param, f"apt-get install {request.param}")
    ports, folder = (free_port(), free_port()), tmp_path_factory.mktemp(request.param)
    run: Callable[..., list[str]] = {"caddy": _caddy, "nginx": _nginx}[request.param]
    command = run(program, folder, console[0], ports, certificate)
    with ExitStack() as stack:
        output = stack.enter_context((folder / "proxy.log").open("w"))
        environment = {"CONSOLE_HOST": NAME, "CONSOLE_PORT": str(console[0]), "HOME": str(folder)}
        environment |= {"HTTP_PORT": str(ports[0]), "HTTPS_PORT": str(ports[1])}
        server = start(*command, environment=environment, stdout=output, stderr=output)
        stack.callback(server.wait)
        stack.callback(server.terminate)
        found = Proxy(*ports, console[1])
        assert eventually(lambda: _answers(ports[1])), (folder / "proxy.log").read_text()
        yield found


def _caddy(
    program: str, folder: Path, port: int, ports: tuple[int, int], certificate: tuple[Path, Path]
) -> list[str]:
    text = (DEPLOY / "Caddyfile").read_text()
    ours = "tls {} {}".format(*certificate)
    changed = re.sub(r"# A certificate of your own: tls .*", ours, text)
    assert changed != text
    (folder / "Caddyfile").write_text(changed)
    return [program, "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


def _nginx(
    program: str, folder: Path, port: int, ports: tuple[int, int], certificate: tuple[Path, Path]
) -> list[str]:
    text = (DEPLOY / "nginx.conf").read_text()
    for old, new in (
        ("127.0.0.1:8000", f"127.0.0.1:{port}"),
        ("listen 80;", f"listen 127.0.0.1:{ports[0]};"),
        ("listen 443 ssl", f"listen 127.0.0.1:{ports[1]} ssl"),
        ("/etc/letsencrypt/live/desk.example/fullchain.pem", str(certificate[0])),
        ("/etc/letsencrypt/live/desk.example/privkey.pem", str(certificate[1])),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "site.conf").write_text(text)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary} include {folder}/site.conf; }}\n"
    )
    return [program, "-p", str(folder), "-c", str(folder / "nginx.conf")]


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def test_http_leads_pages_to_https_and_refuses_programs(proxy: Proxy) -> None:
    response, _ = proxy.ask("/orders?stage=on_hold", tls=False)
    assert response.status == 308
    assert response.getheader("Location") == f"https://{NAME}/orders?stage=on_hold"
    response, _ = proxy.ask("/api/v1/queries/ListOrders", tls=False)
    assert response.status == 403
    assert response.getheader("Location") is None


def test_a_page_comes_over_https_with_its_headers(proxy: Proxy) -> None:
    response, page = proxy.ask("/sign-in")
    assert response.status == 200
    assert "Sign in" in page
    assert response.getheader("Strict-Transport-Security") == "max-age=31536000; includeSubDomains"
    [policy] = response.headers.get_all("Content-Security-Policy") or []
    assert "default-src 'none'" in policy
    cookie = response.getheader("Set-Cookie") or ""
    assert cookie.startswith("__Host-")
    assert "Secure" in cookie


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_only_new_versions_of_tls_are_spoken(proxy: Proxy) -> None:
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = _unverified()
        context.minimum_version = context.maximum_version = version
        with (
            socket.create_connection(("127.0.0.1", proxy.https_port), 10) as raw,
            context.wrap_socket(raw, server_hostname=NAME) as connection,
        ):
            assert connection.version() == version.name.replace("_", ".")
    context = _unverified()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", proxy.https_port), 10) as raw,
        pytest.raises(ssl.SSLError, match=r"PROTOCOL_VERSION|protocol version"),
    ):
        context.wrap_socket(raw, server_hostname=NAME)


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
def test_the_proxy_keeps_monitoring_to_itself(proxy: Proxy, path: str) -> None:
    response, text = proxy.ask(path)
    assert response.status == 404
    assert "countersign" not in text


def test_the_console_sees_the_address_that_the_proxy_saw(proxy: Proxy) -> None:
    response, page = proxy.ask("/sign-in")
    cookie = (response.getheader("Set-Cookie") or "").partition(";")[0]
    before = len(proxy.log.read_text())
    fields = {"csrf_token": token_in(page), "name": "nobody", "password": "wrong and long enough"}
    response, page = proxy.ask(
        "/sign-in",
        "POST",
        urlencode(fields),
        Cookie=cookie,
        Content_Type="application/x-www-form-urlencoded",
        Origin=f"https://{NAME}",
        X_Forwarded_For="6.6.6.6",
        X_Forwarded_Host="evil.example",
        Forwarded="for=6.6.6.6;host=evil.example",
    )
    assert response.status == 422, page
    logged = proxy.log.read_text()[before:]
    assert CLIENT in logged
    assert "6.6.6.6" not in logged
    assert "evil.example" not in page


def test_a_body_that_is_too_large_is_turned_away(proxy: Proxy) -> None:
    try:
        response, _ = proxy.ask("/imports", "POST", "x" * (65 * 1024 * 1024))
    except (ConnectionError, ssl.SSLError):
        return  # it hung up in the middle
    assert response.status in (400, 413, 303, 401)
