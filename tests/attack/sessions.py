"""Cookies that were planted, changed, copied or kept."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pyotp
from itsdangerous import URLSafeTimedSerializer

from tests.attack.outcome import Outcome
from tests.attack.plan import Plan
from tests.attack.target import PASSWORD, Target
from tests.attack.visitor import Visitor

VICTIM = "vera"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."


def run(target: Target, plan: Plan) -> Iterator[Outcome]:
    yield planted(target, plan)
    yield forged(target, plan.chance("cookies"), plan.times * 20)
    yield kept(target)


def signed_in(visitor: Visitor) -> bool:
    return visitor.get("/account").status == 200


def sign_in(visitor: Visitor, name: str) -> int:
    return visitor.submit("/sign-in", name=name, password=PASSWORD).status


def planted(target: Target, plan: Plan) -> Outcome:
    """A cookie that the attacker knows is worth nothing once its browser signs in."""
    outcome = Outcome("session fixation")
    target.operator(VICTIM, "operator")
    secret = target.services.second_factors.new_app(VICTIM)
    for _ in range(plan.times):
        attacker = target.anyone()
        attacker.get("/sign-in")
        victim = Visitor(target.port, cookies=dict(attacker.cookies))
        sign_in(victim, VICTIM)
        outcome.expect(signed_in(victim), "the victim could not sign in")
        outcome.expect(not signed_in(attacker), "a planted cookie is signed in")
        before = dict(victim.cookies)
        again = Visitor(target.port, cookies=dict(victim.cookies))
        again.submit("/sign-out")
        outcome.expect(
            not signed_in(Visitor(target.port, cookies=before)), "a cookie outlives its sign-out"
        )
    outcome.expect(_steps_change_the_cookie(target, secret), "the second step keeps the session")
    return outcome


def _steps_change_the_cookie(target: Target, secret: object) -> bool:
    """Whether the session after a second factor is another than the one before."""
    factors = target.services.second_factors
    key, sealed = getattr(secret, "key"), getattr(secret, "sealed")  # noqa: B009
    codes = factors.add_app(VICTIM, sealed, pyotp.TOTP(key).now())
    visitor = target.anyone()
    sign_in(visitor, VICTIM)
    halfway = dict(visitor.cookies)
    outside = not signed_in(Visitor(target.port, cookies=dict(halfway)))
    visitor.token = ""
    page = visitor.get("/sign-in/second-factor").text
    token = re.search(r'name="((?:proof-)?csrf_token)"[^>]*value="([^"]+)"', page)
    assert token
    visitor.post("/sign-in/second-factor", {token[1]: token[2], "proof-code": codes[0]})
    inside = signed_in(visitor)
    return outside and inside and not signed_in(Visitor(target.port, cookies=halfway))


def forged(target: Target, chance: random.Random, times: int) -> Outcome:
    """Cookies with one character changed, signed with another key, or made up."""
    outcome = Outcome("forged cookies")
    token = target.services.sessions.open("admin", "127.0.0.1", "attack")
    genuine = target.with_session(token).cookies[target.cookie_name]
    for _ in range(times):
        place = chance.randrange(len(genuine))
        other = chance.choice(ALPHABET.replace(genuine[place], ""))
        changed = genuine[:place] + other + genuine[place + 1 :]
        visitor = Visitor(target.port, cookies={target.cookie_name: changed})
        last = place == len(genuine) - 1  # its lowest bits are not part of the signature
        outcome.expect(last or not signed_in(visitor), f"changed at {place}: signed in")
    for key in ("", "secret", "dev", "countersign", target.cookie_name):
        made = URLSafeTimedSerializer(key or " ", salt="cookie-session").dumps({"token": token})
        visitor = Visitor(target.port, cookies={target.cookie_name: str(made)})
        outcome.expect(not signed_in(visitor), f"signed with {key!r}: signed in")
    for name in ("session", "remember_token", f"__Host-{target.cookie_name}"):
        visitor = Visitor(target.port, cookies={name: genuine})
        outcome.expect(not signed_in(visitor), f"as the cookie {name}: signed in")
    return outcome


def kept(target: Target) -> Outcome:
    """Sessions that were open when something ended them."""
    outcome = Outcome("sessions after their end")
    accounts = target.services.accounts
    for name, end in (
        ("disabled", lambda: accounts.disable("kept-disabled")),
        ("password", lambda: accounts.set_password("kept-password", PASSWORD + " and one")),
        ("ended", lambda: target.services.sessions.end_all("kept-ended")),
    ):
        visitor = target.operator(f"kept-{name}", "operator")
        outcome.expect(signed_in(visitor), f"{name}: not signed in before")
        end()
        outcome.expect(not signed_in(visitor), f"{name}: signed in after")
    return outcome
