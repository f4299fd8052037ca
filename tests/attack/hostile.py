"""Hostile values in every parameter: fields of commands and queries by the API and by forms, paths
and addresses of pages."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from werkzeug.routing import Rule

from cqrs_app.kernel.messages.description import fields_of
from cqrs_app.kernel.registry import Registry
from cqrs_app.platform.catalogue.examples import example_of
from tests.attack import values
from tests.attack.outcome import Outcome
from tests.attack.plan import Plan
from tests.attack.target import Target, path_of
from tests.attack.visitor import Reply, Visitor

API = "/api/v1"
BATCH = 20
"""Messages in one request: as many as the API takes of queries."""
SHARES = {"commands": 0.55, "queries": 0.30, "pages": 0.11, "forms": 0.04}
"""By what a value costs: a page or a form is made anew for a few of them."""
PARAMETERS = 60
"""In one address, as far as they fit."""
LONGEST_ADDRESS = 4_000
"""The server takes no longer ones."""
THREADS = 3
LEFT_OUT = re.compile(r"sign.out|end_session|end_other|token_revoke|static|account_password")
"""Routes that would end the attack: they close the session or the token that it goes on with."""
OWN_WORDS = (
    *("endpoint", "_anchor", "_external", "_method", "_scheme", "self", "values"),
    "after",
    "before",
    "at",
    "by",
    "code",
    "events",
    "expected_version",
    "for",
    "from",
    "list",
    "macro",
    "name",
    "next",
    "only",
    "order",
    "owner",
    "page",
    "position",
    "q",
    "queue",
    "shown",
    "since",
    "sort",
    "state",
    "until",
    "version",
    "what",
)
"""Parameters that pages read themselves, beside the fields of what they ask, and what functions
call theirs."""
NAME = re.compile(r'name="([a-z][a-z0-9_-]*)"')


@dataclass(slots=True)
class Work:
    """`sent` are values that were put into parameters, in `requests`."""

    target: Target
    chance: random.Random
    budget: int
    outcome: Outcome
    requests: int = 0
    forms: dict[str, Sequence[str]] = field(default_factory=dict)

    def count(self, sent: int, reply: Reply, where: str) -> None:
        self.requests += 1
        self.outcome.tried += sent
        for fault in values.faults(reply):
            self.outcome.failures.append(f"{where}: {fault}")


def run(target: Target, plan: Plan) -> Iterator[Outcome]:
    """Four doors side by side, then every page once more, for what was stored."""
    works = {
        name: Work(target, plan.chance(name), int(plan.values * share), Outcome(f"values, {name}"))
        for name, share in SHARES.items()
    }
    doors = {"commands": commands, "queries": queries, "pages": pages, "forms": forms}
    with ThreadPoolExecutor(THREADS) as threads:
        for done in [threads.submit(doors[name], work) for name, work in works.items()]:
            done.result()
    for work in works.values():
        work.outcome.figure = f"{work.requests:,} requests"
        yield work.outcome
    yield stored(target)


def commands(work: Work) -> None:
    """Valid commands with one hostile field each, many to a request."""
    _messages(work, "commands", "command", work.target.kernel.registry.commands)


def queries(work: Work) -> None:
    _messages(work, "queries", "query", work.target.kernel.registry.queries)


def _messages(work: Work, door: str, word: str, classes: dict[str, Any]) -> None:
    """Batches of messages with one hostile field each, or with all of them."""
    program, known = work.target.program("admin"), work.target.known
    found = values.things(work.chance)
    fields = {name: [each.name for each in fields_of(cls)] for name, cls in classes.items()}
    points = [(name, [each]) for name, names in fields.items() for each in names]
    points += [(name, names) for name, names in fields.items() if len(names) > 1] * 3
    while work.outcome.tried < work.budget:
        work.chance.shuffle(points)
        for start in range(0, len(points), BATCH):
            batch = points[start : start + BATCH]
            items = [
                {
                    word: name,
                    "fields": example_of(classes[name], known=known) | _hostile(names, found),
                }
                for name, names in batch
            ]
            reply = program.post_json(f"{API}/{door}", {door: items})
            work.count(sum(len(names) for _, names in batch), reply, f"{door} {batch}"[:300])
            if reply.status != 200:
                work.outcome.failures.append(f"a batch of {door} got {reply.status}")
                continue
            for item, result in zip(items, reply.json["results"], strict=True):
                if result["status"] >= 500:
                    work.outcome.failures.append(f"{item}"[:200] + f": {result['problem']}")


def _hostile(names: Sequence[str], found: Iterator[Any]) -> dict[str, Any]:
    return {name: next(found) for name in names}


def pages(work: Work) -> None:
    """Hostile texts in the path and in every parameter of each page that is read."""
    target, registry = work.target, work.target.kernel.registry
    visitor, program = target.operator("admin"), target.program("admin")
    names = sorted({*_fields(registry), *OWN_WORDS})
    found = values.texts(work.chance)
    rules = [each for each in readable(target.app) if each.endpoint.startswith(("web.", "api."))]
    while work.outcome.tried < work.budget:
        for rule in rules:
            path = _path(rule, found if work.chance.random() < 0.5 else None, target)
            given = _fitting(work.chance.sample(names, PARAMETERS), found, len(path))
            client = program if rule.endpoint.startswith("api.") else visitor
            reply = client.get(f"{path}?{urlencode(given)}")
            work.count(len(given) + len(rule.arguments), reply, f"GET {path[:80]}?{given}"[:300])
            if client is visitor:
                visitor = _signed_in_still(target, visitor, reply)


def _fitting(names: Sequence[str], found: Iterator[str], length: int) -> dict[str, str]:
    """A hostile text for each of these names, as many as fit behind a path of this length."""
    given = {}
    for name in names:
        text = next(found)
        longer = length + len(urlencode({name: text})) + 1
        if longer <= LONGEST_ADDRESS:
            given[name], length = text, longer
    return given


def forms(work: Work) -> None:
    """Every form of a command with hostile texts: one in a field, or one in each."""
    target, registry = work.target, work.target.kernel.registry
    visitor = target.operator("admin")
    known = {name: str(value) for name, value in target.known.items()}
    found = values.texts(work.chance)
    names = list(registry.commands)
    while work.outcome.tried < work.budget:
        name = work.chance.choice(names)
        address = f"/commands/{name}"
        if name not in work.forms:
            page = visitor.get(address)
            work.forms[name] = sorted(set(NAME.findall(page.text)) - {"csrf_token", "command_id"})
        fields = work.forms[name]
        everywhere = work.chance.random() < 0.75 or not fields
        hostile = fields if everywhere else [work.chance.choice(fields)]
        given = {each: known.get(each, "1") for each in fields}
        given |= {each: next(found) for each in hostile}
        reply = visitor.submit(address, **given)
        work.count(len(hostile), reply, f"POST {address} {sorted(hostile)}")
        visitor = _signed_in_still(target, visitor, reply)


def stored(target: Target) -> Outcome:
    """Every page of what there is, as an administrator: what was stored comes out escaped."""
    outcome = Outcome("values, stored ones on pages")
    target.settle()
    visitor = target.operator("admin")
    for rule in readable(target.app):
        if not rule.endpoint.startswith("web."):
            continue
        path = _path(rule, None, target)
        reply = visitor.get(path)
        outcome.tried += 1
        outcome.failures += [f"GET {path}: {fault}" for fault in values.faults(reply)]
    return outcome


def readable(app: Flask) -> list[Rule]:
    """The routes that are read with GET, except those that end the attack."""
    return [
        rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not LEFT_OUT.search(rule.endpoint)
    ]


def _path(rule: Rule, found: Iterator[str] | None, target: Target) -> str:
    """The path of a route, with something there is in it, or with hostile texts."""
    return path_of(
        rule, lambda name: str(target.known.get(name, "1")) if found is None else next(found)
    )


def _fields(registry: Registry) -> Iterator[str]:
    for cls in registry.queries.values():
        yield from (each.name for each in fields_of(cls))


def _signed_in_still(target: Target, visitor: Visitor, reply: Reply) -> Visitor:
    """The same visitor, or a new one if what was sent has ended its session."""
    if reply.status in (303, 401) and "/sign-in" in reply.header("location"):
        return target.operator("admin")
    return visitor
