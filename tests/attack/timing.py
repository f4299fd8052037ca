"""Whether how long, or how, the console answers says that an account exists."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from statistics import median

from tests.attack.outcome import Outcome
from tests.attack.plan import Plan
from tests.attack.target import Target
from tests.attack.visitor import Visitor

MOST = 0.75
"""How often an account that exists may be the slower one of a pair (or the faster one). By chance,
60 pairs lie between 0.31 and 0.69 in 99.7 of 100 runs."""


def run(target: Target, plan: Plan) -> Iterator[Outcome]:
    yield signing_in(target, plan.times * 3)
    yield links(target)


def signing_in(target: Target, pairs: int) -> Outcome:
    """Wrong passwords for accounts that exist and for names that do not, in turn."""
    outcome = Outcome("enumeration by signing in")
    for number in range(pairs):
        target.services.accounts.create(f"timed-{number}", "viewer", "eleven quiet owls at noon")
    known, unknown, slower = [], [], 0
    visitor = target.anyone()
    for number in range(pairs):
        (seconds, there), (other, absent) = (
            _attempt(visitor, f"{kind}-{number}") for kind in ("timed", "other")
        )
        known.append(seconds)
        unknown.append(other)
        slower += seconds > other
        outcome.expect(there == absent, f"they differ: {there} and {absent}")
    share = slower / pairs
    outcome.figure = (
        f"{median(known) * 1000:.0f} ms known, {median(unknown) * 1000:.0f} ms unknown, "
        f"known slower in {share:.0%}"
    )
    outcome.expect(1 - MOST <= share <= MOST, f"accounts that exist are slower in {share:.0%}")
    return outcome


def _attempt(visitor: Visitor, name: str) -> tuple[float, tuple[int, str]]:
    """Seconds, status and page, without what names the attempt."""
    token = visitor.csrf()
    began = time.perf_counter()
    fields = {"csrf_token": token, "name": name, "password": "wrong and long enough"}
    reply = visitor.post("/sign-in", fields)
    seconds = time.perf_counter() - began
    page = re.sub(r'value="[^"]*"|timed-\d+|other-\d+', "", reply.text)
    return seconds, (reply.status, page)


def links(target: Target) -> Outcome:
    """Sign-in links, tokens and pages of accounts that exist and of others."""
    outcome = Outcome("enumeration by links, tokens and pages")
    viewer = target.operator("viewer")
    for path in ("/sign-in/link/{}/guess", "/operators/{}"):
        for visitor in (target.anyone(), viewer):
            there, absent = (visitor.get(path.format(name)) for name in ("admin", "nobody-at-all"))
            same = there.status == absent.status
            outcome.expect(same, f"{path}: {there.status} and {absent.status}")
    return outcome
