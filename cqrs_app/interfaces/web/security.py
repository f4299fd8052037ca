"""What applies to every request and response: headers, cookies, limits, hosts, CSRF."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import Forbidden, HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from cqrs_app.interfaces.web.cookie_sessions import CookieSessions
from cqrs_app.interfaces.web.static_files import init_static_files
from cqrs_app.interfaces.web.uploading import allow_uploads
from cqrs_app.services import services_of
from cqrs_app.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

POLICY = (
    "default-src 'none'; "
    "script-src 'self'; "
    "style-src 'self'; "
    "img-src 'self' data:; "
    "font-src 'self'; "
    "connect-src 'self'; "
    "form-action 'self'; "
    "base-uri 'none'; "
    "frame-ancestors 'none'; "
    "object-src 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
HTTPS_ONLY = "max-age=31536000; includeSubDomains"

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
LONGEST_FIELD_BYTES = 1024 * 1024
MOST_FORM_PARTS = 5_000

FOREIGN_PAGE = (
    "This was sent from another web site, so nothing was changed. "
    "Open the page in the console itself, then try again."
)
STALE_FORM = (
    "This form does not belong to your present session, so nothing was changed. "
    "Open the page again, then send it once more."
)


def init_security(app: Flask) -> None:
    """Register all of it. `init_auth` comes before, so that whoever is signed out is asked to sign
    in instead of being shown a stale form; the `settings` extension exists already.
    """
    settings: Settings = services_of(app).settings
    _configure(app, settings)
    app.session_interface = CookieSessions()
    if settings.proxy_hops:
        hops = settings.proxy_hops
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops, x_port=0, x_prefix=0
        )
    app.before_request(refuse_foreign_pages)
    # Before the form is read for its token: its size is checked here.
    app.before_request(allow_uploads)
    CSRFProtect(app)
    app.register_error_handler(CSRFError, _stale_form)
    init_static_files(app)

    app.wsgi_app = _with_headers(app.wsgi_app, settings)  # type: ignore[method-assign, assignment]

    @app.after_request
    def _keep_nothing(response: Response) -> Response:
        if request.endpoint != "static" and "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response


def _with_headers(answer: WSGIApplication, settings: Settings) -> WSGIApplication:
    """The same, with the headers of every answer added, whoever made it: nobody can leave them
    out, and they cost next to nothing."""
    added = list(HEADERS.items())
    if settings.secure_cookies:
        added.append(("Strict-Transport-Security", HTTPS_ONLY))

    def answer_with_headers(
        environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            return start_response(status, headers + added, *error)

        return answer(environ, start)

    return answer_with_headers


def refuse_foreign_pages() -> None:
    """Raise Forbidden if a browser says that another site's page sent this change. Works before any
    token is read, and even if a token has leaked. Programs send neither header and are checked by
    the token alone.
    """
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site not in ("same-origin", "none"):
            raise Forbidden(FOREIGN_PAGE)
        return
    # Browsers leave Sec-Fetch-Site out on plain http to other machines. The scheme is not
    # compared: behind a proxy that ends TLS it may differ.
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise Forbidden(FOREIGN_PAGE)


def _configure(app: Flask, settings: Settings) -> None:
    prefix = "__Host-" if settings.secure_cookies else ""
    app.config.update(
        SECRET_KEY=settings.ensure_secret_key(),
        SECRET_KEY_FALLBACKS=_listed(settings.secret_key_fallbacks),
        # Cookies know no ports: consoles on one machine must not share a name, and the hosts of
        # one console must.
        SESSION_COOKIE_NAME=f"{prefix}countersign-{settings.console_id()}",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=settings.max_request_bytes,
        MAX_FORM_MEMORY_SIZE=min(LONGEST_FIELD_BYTES, settings.max_request_bytes),
        MAX_FORM_PARTS=MOST_FORM_PARTS,
        # A token lives as long as its session; a form may stay open over lunch.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_HEADERS=["X-CSRFToken"],
        # `refuse_foreign_pages` does this without needing a Referer.
        WTF_CSRF_SSL_STRICT=False,
    )
    hosts = _listed(settings.trusted_hosts)
    if hosts:
        # The supervisor asks the console itself whether it is ready.
        app.config["TRUSTED_HOSTS"] = [*hosts, settings.host, "127.0.0.1", "localhost"]


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


class StaleForm(Forbidden):
    """The form's token is not one of this session."""


def _stale_form(_: CSRFError) -> HTTPException | ResponseReturnValue:
    # Raised as an ordinary refusal: the console renders those in one place.
    return current_app.handle_http_exception(StaleForm(STALE_FORM))
