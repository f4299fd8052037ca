"""The catalogue: every message of the console, and every query as a form."""

from __future__ import annotations

import json
from typing import Any, cast

import msgspec
from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from cqrs_app.interfaces.web.ask import ask, authorise, may
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.forms import question_form, question_from
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.fields import required_of
from cqrs_app.kernel.messages.messages import Query
from cqrs_app.kernel.queries.context import Answer
from cqrs_app.platform.catalogue.entries import Entry, entries
from cqrs_app.platform.catalogue.examples import as_options
from cqrs_app.platform.catalogue.problems import KINDS
from cqrs_app.services import kernel

SHOWN_CHARACTERS = 200_000
"""More of an answer than anybody reads on a page; the API returns all of it."""


@bp.get("/catalogue")
def catalogue() -> ResponseReturnValue:
    """Every command, query and event, or those that match the text."""
    q = request.args.get("q", "").strip()
    return render_template(
        "catalogue/catalogue.html",
        entries=[entry for entry in _entries() if _fits(entry, q)],
        q=q,
        may=may,
    )


@bp.get("/catalogue/problems")
def catalogue_problems() -> ResponseReturnValue:
    """What the API can answer instead of what was asked."""
    return render_template("catalogue/problems.html", kinds=KINDS)


@bp.get("/catalogue/<name>")
def catalogue_entry(name: str) -> ResponseReturnValue:
    """One message: its fields, rules and permission, and how to send it from each interface."""
    entry = next((each for each in _entries() if each.name == name), None)
    if entry is None:
        abort(404, f"There is nothing called {name} in the catalogue.")
    return render_template(
        "catalogue/entry.html",
        entry=entry,
        may=entry.permission is not None and may(entry.permission),
        example=json.dumps(entry.example, indent=2, ensure_ascii=False),
        options=as_options(entry.example),
        api=f"{request.url_root}api/v1",
    )


@bp.get("/queries/<name>")
def question(name: str) -> ResponseReturnValue:
    """A query as a form, and its raw answer."""
    cls = kernel.registry.query(name)
    sent = bool(request.args) or not required_of(cls)
    form = question_form(cast("Any", cls))(request.args if request.args else None)
    answer = None
    if sent:
        authorise(cls)
        try:
            answer = ask(question_from(form, cls))
        except Invalid as invalid:
            return _question(cls, form, None, list(invalid.problems.values())), 422
    return _question(cls, form, answer, [])


def _question(cls: type[Query], form: Any, answer: Answer[Any] | None, errors: list[str]) -> str:
    text = ""
    if answer:
        plain = msgspec.json.format(msgspec.json.encode(answer.value), indent=2).decode()
        text = plain[:SHOWN_CHARACTERS]
    return render_template(
        "catalogue/question.html",
        entry=next(each for each in _entries() if each.name == cls.__name__),
        form=form,
        answer=answer,
        text=text,
        cut=len(text) == SHOWN_CHARACTERS,
        errors=errors,
    )


def _entries() -> tuple[Entry, ...]:
    return entries(kernel.registry)


def _fits(entry: Entry, q: str) -> bool:
    words = " ".join((entry.name, entry.label, entry.summary, entry.area, entry.permission or ""))
    return q.casefold() in words.casefold()
