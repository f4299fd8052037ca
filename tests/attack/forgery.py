"""Changes that another site's page sends with the cookie of who is signed in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, select
from werkzeug.routing import Rule

from cqrs_app.kernel.store.tables import command_log
from tests.attack.outcome import Outcome
from tests.attack.plan import Plan
from tests.attack.target import Target, path_of

ELSEWHERE: tuple[tuple[str, dict[str, str]], ...] = (
    ("Sec-Fetch-Site: cross-site", {"Sec-Fetch-Site": "cross-site"}),
    ("Sec-Fetch-Site: same-site", {"Sec-Fetch-Site": "same-site"}),
    ("a foreign Origin", {"Origin": "https://evil.example"}),
    ("Origin: null", {"Origin": "null"}),
    ("an Origin with our name in front", {"Origin": "http://127.0.0.1.evil.example"}),
)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
REFUSED = (303, 400, 401, 403, 404, 422)
OWN_DOORS = frozenset({"web.payment_callback", "web.provider_logout"})
"""They take no cookie: the sender signs."""


def run(target: Target, plan: Plan) -> Iterator[Outcome]:
    yield changes(target)
    yield reads(target)


def changes(target: Target) -> Outcome:
    """Every route that changes something: without the token, with that of another session, with a
    damaged one, and with the right one from another site."""
    outcome = Outcome("forged requests × routes")
    admin, other = target.operator("admin"), target.operator("supervisor")
    token, foreign = admin.csrf(), other.csrf()
    tokens = {"no token": "", "another session's": foreign, "a damaged one": token[:-2] + "xx"}
    for rule in _changing(target):
        path = path_of(rule, lambda name: name)
        for name, value in tokens.items():
            before = _done(target)
            status = admin.post(path, {"csrf_token": value}).status
            outcome.expect(
                status in REFUSED and _done(target) == before,
                f"{path} with {name}: {status}",
            )
        for name, headers in ELSEWHERE:
            before = _done(target)
            reply = admin.send("POST", path, f"csrf_token={token}".encode(), FORM | headers)
            outcome.expect(
                reply.status in REFUSED and _done(target) == before,
                f"{path} from {name}: {reply.status}",
            )
    signed_in = admin.get("/account").status == 200
    outcome.expect(signed_in, "the session of who was attacked has ended")
    return outcome


def reads(target: Target) -> Outcome:
    """Reading changes nothing, with whatever method that counts as safe."""
    outcome = Outcome("safe methods × routes")
    admin = target.operator("admin")
    before = _done(target)
    for rule in target.app.url_map.iter_rules():
        path = path_of(rule, lambda name: name)
        for method in ("GET", "HEAD", "OPTIONS", "TRACE"):
            reply = admin.send(method, path, b"", {})
            allowed = method != "TRACE" or reply.status >= 400
            outcome.expect(
                reply.status < 500 and allowed and not reply.header("access-control-allow-origin"),
                f"{method} {path}: {reply.status}",
            )
    outcome.expect(_done(target) == before, "a command was carried out")
    return outcome


def _changing(target: Target) -> list[Rule]:
    return [
        rule
        for rule in target.app.url_map.iter_rules()
        if "POST" in (rule.methods or ())
        and rule.endpoint.startswith("web.")
        and rule.endpoint not in OWN_DOORS
    ]


def _done(target: Target) -> Any:
    """How many commands of who is attacked were carried out or are kept to be."""
    mine = command_log.c.operator == "admin"
    done = command_log.c.outcome.in_(("succeeded", "requested", "queued"))
    with target.kernel.engines.write.connect() as connection:
        found = select(func.count()).select_from(command_log).where(mine, done)
        return connection.execute(found).scalar_one()
