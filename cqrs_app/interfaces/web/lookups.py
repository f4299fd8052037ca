"""Values found while typing, and the fields filled in from them. A browser with scripts requests
the choices and shows remarks about a value. Without scripts the button *Fill in* does the same on
the server.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from cqrs_app.interfaces.web.areas import LOOKUPS
from cqrs_app.interfaces.web.ask import may
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.choices import Choice, Lookup
from cqrs_app.interfaces.web.formats import formats_of
from cqrs_app.interfaces.web.forms_fields import BLANK, FieldList, FormField, is_blank, value_of
from cqrs_app.services import services

LONGEST = 200


@bp.get("/lookups/<name>")
def lookup(name: str) -> ResponseReturnValue:
    """The choices for the text `q`, and the remark about it as a value."""
    found = lookup_of(name)
    if found is None:
        abort(404, f"There is nothing to look up called {name}.")
    given = {key: text[:LONGEST] for key, text in request.args.items()}
    q = given.get("q", "").strip()
    return render_template(
        "components/_choices.html",
        choices=found.find(q, given) if q or found.listed else (),
        known=found.about([(q, given)])[0] if q else None,
        texts=texts_of,
    )


def lookup_of(name: str | None) -> Lookup | None:
    """The lookup of this name, if there is one and the operator has its permission."""
    found = LOOKUPS.get(name or "")
    return found if found and may(found.permission) else None


def complete(form: Any) -> None:
    """Fill in empty fields that follow from the values of other fields."""
    for near, _, choice in _known(form):
        for name, value in choice.fill.items():
            if name in near and not near[name].flags.folded:
                _fill(near[name], value)


def can_complete(form: Any) -> bool:
    """Whether a visible field has values that others follow from."""
    visible = (field for _, field in _looked_up(form) if "Hidden" not in field.type)
    return any(lookup_of(field.flags.lookup) for field in visible)


def notes_of(form: Any) -> dict[str, Choice]:
    """What is known of the values in a form, by the name of their field."""
    return {field.name: choice for _, field, choice in _known(form) if "Hidden" not in field.type}


def texts_of(fill: Mapping[str, Any]) -> dict[str, str]:
    """The values as texts of the fields with these names, below the place of the field that they
    follow from."""
    texts: dict[str, str] = {}
    for name, value in fill.items():
        if isinstance(value, Mapping):
            texts |= {f"{name}-{part}": text for part, text in texts_of(value).items()}
        elif isinstance(value, Decimal):
            texts[name] = formats_of(services.settings.locale).typed(value)
        else:
            texts[name] = "" if value is None else str(value)
    return texts


def _known(form: Any) -> Iterator[tuple[Any, Any, Choice]]:
    """Each field that is looked up and has a value, with the fields beside it and what is known."""
    fields = defaultdict(list)
    for near, field in _looked_up(form):
        if field.data and not field.errors:
            fields[field.flags.lookup].append((near, field))
    for name, found_in in fields.items():
        if found := lookup_of(name):
            asked = [
                (str(field.data), {each: _text(near, form, each) for each in found.uses})
                for near, field in found_in
            ]
            for (near, field), choice in zip(found_in, found.about(asked), strict=True):
                yield near, field, choice


def _looked_up(form: Any) -> Iterator[tuple[Any, Any]]:
    for field in form:
        if isinstance(field, FieldList):
            for entry in field.entries:
                if isinstance(entry, FormField):
                    yield from _looked_up(entry.form)
        elif isinstance(field, FormField):
            yield from _looked_up(field.form)
        elif field.flags.lookup:
            yield form, field


def _text(near: Any, form: Any, name: str) -> str:
    holder = next((each for each in (near, form) if name in each), None)
    return "" if holder is None or value_of(holder[name]) is BLANK else str(holder[name].data)


def _fill(field: Any, value: Any) -> None:
    if isinstance(field, FormField):
        # All of it or nothing: half of one address and half of another would be a third.
        if is_blank(field):
            for name in value.keys() & field.form._fields.keys():
                _fill(field.form[name], value[name])
    elif value_of(field) is BLANK and value not in ("", None):
        field.data, field.raw_data = value, None
