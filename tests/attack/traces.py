"""What the console itself wrote of the attacks: no error that nobody foresaw, and no secret."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.attack.outcome import Outcome
from tests.attack.plan import Plan
from tests.attack.target import PASSWORD, Target

ERRORS = re.compile(r"^.*(?:Traceback \(most recent call last\)| CRITICAL | ERROR ).*$", re.M)
API = "/api/v1"


def run(target: Target, plan: Plan) -> Iterator[Outcome]:
    yield log(target)
    yield failures(target)


def log(target: Target) -> Outcome:
    """Its log: errors and tracebacks, and the password of the attack in clear."""
    outcome = Outcome("its own log: errors, secrets")
    written = target.log.read_text()
    outcome.tried = written.count("\n")
    outcome.failures = [found.group()[:300] for found in ERRORS.finditer(written)]
    if PASSWORD in written:
        outcome.failures.append("a password is in the log")
    return outcome


def failures(target: Target) -> Outcome:
    """The failures that it recorded."""
    outcome = Outcome("failures that it recorded")
    reply = target.program("admin").get(f"{API}/queries/ListFailures?state=all")
    rows = reply.json["value"]
    outcome.expect(reply.status == 200, f"the list of failures got {reply.status}")
    outcome.failures += [f"{each['place']}: {each['error']}: {each['message']}" for each in rows]
    return outcome
