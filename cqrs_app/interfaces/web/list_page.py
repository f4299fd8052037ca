"""A page with one list: its query, filters, columns, views, selection and downloads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import url_for

from cqrs_app.interfaces.web.ask import ask
from cqrs_app.interfaces.web.columns import shown_columns
from cqrs_app.interfaces.web.exports import downloads
from cqrs_app.interfaces.web.listing import asked_here, chips, sorts, turning
from cqrs_app.interfaces.web.tasks import selecting
from cqrs_app.interfaces.web.views import tabs_here
from cqrs_app.kernel.messages.messages import Command, Query


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """What tells one list from another. `name` is that of its columns and its saved views, and the
    entry in the navigation; its endpoint is "web." and the name.

    `one` and `many` are nouns for its rows. `search` says what the search takes, empty if there is
    none. `filters` are the headings of the parameters that select rows; `words` has the texts of
    their values, by name. `highest_first` are the columns that can be sorted by, and whether their
    highest value comes first. `batched` are the commands for several rows.
    """

    name: str
    query: type[Query]
    title: str
    one: str
    many: str
    search: str = ""
    filters: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    highest_first: Mapping[str, bool] = field(default_factory=dict)
    batched: tuple[type[Command], ...] = ()

    @property
    def endpoint(self) -> str:
        return f"web.{self.name}"

    def shown(self) -> dict[str, Any]:
        """What components/list_page.html needs, for the parameters in the address."""
        question = asked_here(self.query)
        answer = ask(question)
        order = sorts(
            self.endpoint, self.highest_first, question.sort, descending=question.descending
        )
        return {
            "list": self,
            "list_url": url_for(self.endpoint),
            "question": question,
            "page": answer.value,
            "freshness": answer.freshness,
            "columns": shown_columns(self.name),
            "views": tabs_here(self.name),
            "chips": chips(self.endpoint, self.filters, self.words),
            "sort": order,
            "downloads": downloads(self.query),
            **selecting(self.batched),
            **turning(self.endpoint, answer.value, question.limit),
        }
