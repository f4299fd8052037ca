"""How a view says who may open it and what happens to its form, for the gate: see gate.py."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import current_app, g, request
from werkzeug.exceptions import NotFound

from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.uploading import Upload
from cqrs_app.kernel.errors import NotAllowed, UnknownMessage

View = TypeVar("View", bound=Callable[..., Any])

LONGEST_RETURN_PATH = 2_000


def public(view: View) -> View:
    """Mark a view that anyone may see; all others need a signed-in operator."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def for_programs(view: View) -> View:
    """Mark a public view for programs: it needs no store to find out whose a cookie is."""
    view.is_for_programs = True  # type: ignore[attr-defined]
    return public(view)


def background(view: View) -> View:
    """Mark a view that pages request by themselves: it does not keep an idle session alive."""
    view.is_background = True  # type: ignore[attr-defined]
    return view


def sets_up(view: View) -> View:
    """Mark a view that is open to those who have something to set up before anything else."""
    view.sets_up = True  # type: ignore[attr-defined]
    return view


def keeps_form(
    again: Callable[..., str | None], *, file: Upload | None = None
) -> Callable[[View], View]:
    """Mark a view that a form is sent to: where it is not carried out, `again(sentence=...,
    possible=..., **arguments of the view)` shows it with all that was sent; None shows an error
    page. Whoever was signed out meanwhile signs in at the form's own address, and what they sent
    goes along. A form with a `file` does not: the file is not read."""

    def mark(view: View) -> View:
        view.form_again = again  # type: ignore[attr-defined]
        view.takes_file = file  # type: ignore[attr-defined]
        return view

    return mark


def form_again(sentence: str, *, possible: bool = True) -> str | None:
    """The form that was sent, with what was sent and this sentence; None where nobody is signed in,
    the view shows none, there is nothing that the form would be of, or it is not open to them."""
    view = current_app.view_functions.get(request.endpoint or "")
    again: Callable[..., str | None] | None = getattr(view, "form_again", None)
    if again is None or request.method != "POST" or not g.get("operator"):
        return None
    try:
        return again(sentence=sentence, possible=possible, **(request.view_args or {}))
    except (UnknownMessage, NotFound, NotAllowed):
        return None


@bp.app_template_global()
def this_address() -> str:
    """The path and query of this request, below the prefix at which the console is mounted."""
    return f"{request.script_root}{request.full_path}".removesuffix("?")


def local_path(address: str | None) -> str:
    """The address if it is a page of this console, else the home page."""
    return page_below(request.script_root, address)


def page_below(root: str, address: str | None) -> str:
    """The same for a console at the prefix `root`, empty for none."""
    home = f"{root}/"
    if not address or len(address) > LONGEST_RETURN_PATH:
        return home
    # Browsers read a backslash as a slash and leave control characters out.
    if not address.startswith(home) or re.search(r"[\\\x00-\x20\x7f-\xa0\u2028\u2029]", address):
        return home
    if address.startswith("//") or urlsplit(address).path in (f"{home}sign-in", f"{home}sign-out"):
        return home
    return address
