"""Mounts the console into another Flask application, the host, whose users are its operators.

    mount(host, create_app(), "/operations", FlaskLoginUsers(describe, name="Intranet"))

The host answers all other addresses as before. See docs/mounting.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from flask import Flask, current_app, request, url_for
from werkzeug.middleware.dispatcher import DispatcherMiddleware

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Answer = TypeVar("Answer")

KEY = "countersign.mounted"
"""In the WSGI environment of a mounted console. No header of a request gets such a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostUser:
    """A user of the host. `id` never changes and never becomes somebody else's; `name` is the
    account they get when they come first; `role`: their role in the console, empty for none, read
    with each request; `proven_at`: when they last proved there who they are, such as by their
    password, with a time zone (otherwise ValueError); `second_factor`: the host checked one."""

    id: str
    name: str
    role: str
    proven_at: datetime
    display_name: str = ""
    second_factor: bool = False

    def __post_init__(self) -> None:
        if self.proven_at.tzinfo is None:
            raise ValueError("proven_at has no time zone")


class HostUsers(Protocol):
    """What the console asks the host. `name` is the host's name in sentences. Everything is called
    in a request context of the host."""

    name: str

    def current(self) -> HostUser | None:
        """Who sends this request."""

    def sign_in_address(self, next_address: str) -> str:
        """Where to sign in, and then go on to this address."""

    def sign_out_address(self) -> str:
        """Where to sign out."""

    def proof_address(self, next_address: str) -> str:
        """Where to prove again who one is, and then go on to this address: `proven_at` is younger
        from then on."""


@dataclass(frozen=True, slots=True)
class Mounted:
    """The host of a request to a mounted console."""

    host: Flask
    users: HostUsers
    environ: WSGIEnvironment = field(repr=False)

    def ask(self, question: Callable[[HostUsers], Answer]) -> Answer:
        """The answer of the host, in its request context."""
        with self.host.request_context(self.environ):
            return question(self.users)


def mount(host: Flask, console: Flask, prefix: str, users: HostUsers) -> None:
    """Let the console answer all addresses of the host below this prefix, such as "/operations".

    Raises ValueError for a prefix that is not a path.
    """
    if not prefix.startswith("/") or prefix.endswith("/"):
        raise ValueError(f"{prefix!r} is no prefix: it begins with a slash and ends without one.")
    answer: WSGIApplication = console.wsgi_app

    def answer_mounted(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        outside = {
            **environ,
            "SCRIPT_NAME": environ["SCRIPT_NAME"].removesuffix(prefix),
            "PATH_INFO": f"{prefix}{environ.get('PATH_INFO', '')}",
        }
        return answer({**environ, KEY: Mounted(host, users, outside)}, start)

    host.wsgi_app = DispatcherMiddleware(  # type: ignore[method-assign]
        host.wsgi_app, {prefix: answer_mounted}
    )


def mounted_in() -> Mounted | None:
    """The host that the present request came through."""
    found: Mounted | None = request.environ.get(KEY)
    return found


class FlaskLoginUsers:
    """The users of Flask-Login. `describe` gives the HostUser of one of them. `sign_out` is the
    endpoint of the host's page for that."""

    def __init__(self, describe: Callable[[Any], HostUser], *, name: str, sign_out: str) -> None:
        self.name = name
        self._describe = describe
        self._sign_out = sign_out

    def current(self) -> HostUser | None:
        # The package belongs to the host, so only a host that has it needs it.
        from flask_login import current_user

        return self._describe(current_user) if current_user.is_authenticated else None

    def sign_in_address(self, next_address: str) -> str:
        return self._address(_manager().login_view, next_address)

    def sign_out_address(self) -> str:
        return url_for(self._sign_out)

    def proof_address(self, next_address: str) -> str:
        return self._address(_manager().refresh_view or _manager().login_view, next_address)

    def _address(self, view: str, next_address: str) -> str:
        from flask_login import login_url

        return str(login_url(view, next_address))


def _manager() -> Any:
    return current_app.login_manager  # type: ignore[attr-defined]
