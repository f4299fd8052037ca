"""The pages of plug-in areas, made from what their messages declare: see plugins.Pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from flask import Blueprint, Flask, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from jinja2 import Template
from wtforms import Form

from cqrs_app import plugins
from cqrs_app.environment import SettingsError
from cqrs_app.interfaces.web.areas.area import Finder, Hit, Place, WebArea
from cqrs_app.interfaces.web.areas.finding import number_and_thing, same_number
from cqrs_app.interfaces.web.ask import ask, ask_if_allowed, may, query_or_404
from cqrs_app.interfaces.web.auth import background
from cqrs_app.interfaces.web.columns_of_rows import RowColumn, head_of, row_columns
from cqrs_app.interfaces.web.forms_derived import field_for
from cqrs_app.interfaces.web.forms_fields import SelectField, label_of
from cqrs_app.interfaces.web.list_page import ListPage
from cqrs_app.interfaces.web.listing import PLACE
from cqrs_app.interfaces.web.pending_badges import badges_of
from cqrs_app.interfaces.web.polling import fragment, poll_every
from cqrs_app.interfaces.web.tasks import allowed_tasks, offered
from cqrs_app.kernel.messages.fields import hints_of, plain_type
from cqrs_app.platform.runtime.pending import EventsSince
from cqrs_app.plugins import Pages

SEARCH = "q"
SORT = ("sort", "descending")
NO_FILTER = frozenset({*PLACE, *SORT, "limit", "count"})


class YesOrNo(Enum):
    """The values of a filter that is true or false, as addresses have them."""

    YES = "1"
    NO = "0"


@dataclass(frozen=True, slots=True)
class RecordPages:
    """The views of one kind of thing."""

    pages: Pages
    columns: list[RowColumn]

    @property
    def list_endpoint(self) -> str:
        return f"web.{self.pages.path}"

    @property
    def one_endpoint(self) -> str:
        return f"web.{self.pages.path}_one"

    @property
    def filters(self) -> dict[str, str]:
        """The fields of the list that select rows: name -> heading."""
        hints = hints_of(self.pages.list)
        return {name: head_of(name, hints[name]) for name in hints if name not in NO_FILTER}

    def register(self, app: Flask) -> None:
        """Add the views to those of the blueprint of pages. Raises SettingsError where the console
        has pages at their address."""
        path, identity = self.pages.path, self.pages.identity
        if any(rule.rule.split("/")[1] == path for rule in app.url_map.iter_rules()):
            raise SettingsError(
                f"The pages of {self.pages.title!r} cannot be at /{path}: the console has others "
                "there. Give their area another path."
            )
        app.add_url_rule(f"/{path}", self.list_endpoint, self.show_list)
        app.add_url_rule(f"/{path}/<{identity}>", self.one_endpoint, self.show_one)
        now = f"/{path}/<{identity}>/now"
        app.add_url_rule(now, f"{self.one_endpoint}_now", background(self._now()))

    @property
    def list_page(self) -> ListPage:
        pages = self.pages
        many = pages.title.lower()
        return ListPage(
            name=pages.path,
            query=pages.list,
            title=pages.title,
            one=pages.one,
            many=many,
            search=f"Search {many}" if SEARCH in self.filters else "",
            filters=self.filters,
            words=self._words,
            highest_first={str(each): False for each in getattr(pages.list, "sorts", ())},
            batched=(*pages.batched,),
        )

    def show_list(self) -> ResponseReturnValue:
        """One page of the things that match."""
        pages = self.pages
        return render_template(
            [f"{pages.path}/list.html", "records/list.html"],
            pages=pages,
            row_columns=self.columns,
            choices=self._filter_form(),
            starts=offered(each.__name__ for each in pages.starts),
            one_url=self.url_of,
            **self.list_page.shown(),
        )

    def show_one(self, **identity: str) -> ResponseReturnValue:
        """One thing."""
        return render_template(
            [f"{self.pages.path}/one.html", "records/one.html"], **self._shown(**identity)
        )

    def url_of(self, identity: str) -> str:
        return url_for(self.one_endpoint, **{self.pages.identity: identity})  # type: ignore[arg-type]

    def find(self, text: str, most: int) -> Iterator[Hit]:
        """What the search of the console finds."""
        number, thing = number_and_thing(self.pages.get, self.pages.identity, text)
        if thing:
            yield Hit(number, self.url_of(number), exact=True)
        question = cast("Any", self.pages.list)(q=text, limit=most)
        for row in ask(question).value.rows:
            number = str(getattr(row, self.pages.identity))
            details = (str(getattr(row, each.name)) for each in self.columns if each.kind == "text")
            about = tuple(each for each in details if each and each != number)[:2]
            yield Hit(number, self.url_of(number), about, same_number(text, number))

    def web_area(self) -> WebArea:
        """What generic pages have to know."""
        pages = self.pages
        place = Place(pages.path, self.list_endpoint, self.one_endpoint, waits=True)
        permission = pages.list.declaration.permission
        finder = Finder(pages.title, pages.icon, permission, self.find, all=self.list_endpoint)
        return WebArea(
            places={pages.aggregate.category: place},
            finders=(finder,) if SEARCH in self.filters else (),
            starts=tuple(pages.starts),
            batched=tuple(pages.batched),
        )

    @property
    def _parts(self) -> list[str | Template]:
        """The templates of what follows the changes of one thing, the first that there is."""
        return [f"{self.pages.path}/_one.html", "records/_one.html"]

    @property
    def _words(self) -> dict[str, dict[str, str]]:
        """The texts of the values of filters that are choices."""
        hints = hints_of(self.pages.list)
        kinds = {name: plain_type(hints[name]) for name in self.filters}
        chosen = {name: YesOrNo if kind is bool else kind for name, kind in kinds.items()}
        return {
            name: {each.value: str(label_of(each)) for each in kind}
            for name, kind in chosen.items()
            if isinstance(kind, type) and issubclass(kind, Enum)
        }

    def _filter_form(self) -> Form:
        """The filters besides the search as form fields."""
        cls = self.pages.list
        hints = hints_of(cls)
        fields = {
            name: SelectField(head, kind=YesOrNo, empty="")
            if plain_type(hints[name]) is bool
            else field_for(cls, name)
            for name, head in self.filters.items()
            if name != SEARCH
        }
        form: Form = type("Filters", (Form,), fields)(request.args)
        for each in form:
            label = each.label.text
            if isinstance(each, SelectField):
                yes_or_no = plain_type(hints[each.short_name]) is bool
                each.rename_empty(f"{label}: any" if yes_or_no else f"Any {label.lower()}")
            else:
                each.render_kw = {**(each.render_kw or {}), "placeholder": label}
        return form

    def _now(self) -> Callable[..., ResponseReturnValue]:
        def now(**identity: str) -> ResponseReturnValue:
            """The content of the page of one thing again."""
            return fragment(render_template(self._parts, **self._shown(**identity)))

        return now

    def _shown(self, **given: str) -> dict[str, Any]:
        pages, [identity] = self.pages, given.values()
        missing = f"There is no {pages.one} {identity}."
        question = query_or_404(pages.get, missing, **given)
        answer = ask(question)
        found = answer.value
        stream = f"{pages.aggregate.category}-{identity}"
        events = ask_if_allowed(EventsSince(stream=stream, version=0))
        version = getattr(found, "applied_version", 0)
        badges = badges_of(pages.aggregate.category, {identity: version}, answer.freshness)
        badge = badges[identity]
        if found is None and not badge.pending:
            abort(404, missing)
        possible = ask_if_allowed(query_or_404(pages.actions, missing, **given))
        allowed, not_now = allowed_tasks(possible.value.actions if possible else ())
        moving = answer.freshness.is_moving and badge.pending
        return {
            "pages": pages,
            "parts": self._parts,
            "identity": identity,
            "record": found,
            "freshness": answer.freshness,
            "row_columns": row_columns(type(found)) if found else [],
            "badges": badge,
            "tasks": allowed,
            "not_now": not_now,
            "events": events.value[::-1] if events else (),
            "stream": stream,
            "list_url": url_for(self.list_endpoint),
            "now_url": url_for(f"{self.one_endpoint}_now", **given),  # type: ignore[arg-type]
            "poll_every": poll_every(badge.pending.since if moving and badge.pending else None),
            "may_see_events": may("events.view"),
        }


RECORDS = [
    RecordPages(pages, row_columns(plugins.row_of(pages, plugin.area)))
    for plugin in plugins.installed()
    for pages in plugin.pages
]


def init_records(app: Flask) -> None:
    """Serve the pages, the templates and the static files of plug-in areas; last, so that they
    replace nothing. Raises SettingsError about an address that is taken."""
    for each in RECORDS:
        each.register(app)
    for plugin in plugins.installed():
        templates, static = plugin.folder("templates"), plugin.folder("static")
        app.register_blueprint(
            Blueprint(
                f"{plugin.name}_files",
                plugin.package,
                template_folder=str(templates) if templates else None,
                static_folder=str(static) if static else None,
                static_url_path=f"/static/{plugin.name}",
            )
        )
