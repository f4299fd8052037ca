"""Tokens of an OpenID provider that must not be accepted, and what claims mean."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from cqrs_app.environment import SettingsError
from cqrs_app.platform.operators.openid_provider import (
    Client,
    NotAccepted,
    OpenIdProvider,
    Unreachable,
)
from cqrs_app.platform.operators.openid_tokens import (
    ALGORITHMS,
    INVALID,
    LOGOUT_EVENT,
    Audience,
    identity_claims,
    logout_claims,
    person,
    signed,
)
from cqrs_app.platform.operators.sign_on_rules import SignOnRules
from cqrs_app.settings import Settings

ISSUER = "https://id.shop.example"
NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
AUDIENCE = Audience(issuer=ISSUER, client_id="countersign")
KEY = RSAKey.generate_key(2048, {"kid": "one"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "one"})
PUBLIC = {"keys": [KEY.as_dict(private=False)]}
GONE = object()


def claims(**changed: Any) -> dict[str, Any]:
    values = {
        "iss": ISSUER,
        "sub": "248289761001",
        "aud": "countersign",
        "exp": int((NOW + timedelta(minutes=5)).timestamp()),
        "iat": int(NOW.timestamp()),
        "nonce": "n-0S6",
        **changed,
    }
    return {name: value for name, value in values.items() if value is not GONE}


def made(values: dict[str, Any], key: Any = KEY, algorithm: str = "RS256") -> str:
    header = {"alg": algorithm, "kid": "one"}
    return jwt.encode(header, values, key, algorithms=ALGORITHMS)


def signed_by_hand(algorithm: str, sign: Callable[[bytes], bytes]) -> str:
    """What no library makes."""

    def encoded(part: bytes) -> bytes:
        return base64.urlsafe_b64encode(part).rstrip(b"=")

    header = {"alg": algorithm, "kid": "one"}
    content = b".".join(encoded(json.dumps(part).encode()) for part in (header, claims()))
    return (content + b"." + encoded(sign(content))).decode()


def accepted(token: str, now: datetime = NOW) -> dict[str, Any]:
    return identity_claims(signed(token, PUBLIC), AUDIENCE, now, nonce="n-0S6")


def test_a_genuine_token_is_accepted() -> None:
    assert accepted(made(claims()))["sub"] == "248289761001"
    assert accepted(made(claims(aud=["other", "countersign"], azp="countersign")))


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://id.shop.example.evil.example"},
        {"iss": GONE},
        {"aud": "another client"},
        {"aud": ["other"], "azp": "countersign"},
        {"aud": ["other", "countersign"], "azp": "other"},
        {"aud": GONE},
        {"exp": int((NOW - timedelta(minutes=2)).timestamp())},
        {"exp": GONE},
        {"exp": "tomorrow"},
        {"iat": int((NOW + timedelta(minutes=2)).timestamp())},
        {"iat": GONE},
        {"nbf": int((NOW + timedelta(minutes=2)).timestamp())},
        {"nonce": "of another sign-in"},
        {"nonce": GONE},
        {"sub": GONE},
    ],
)
def test_a_token_for_another_moment_or_reader_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(INVALID):
        accepted(made(claims(**changed)))


def test_a_token_that_the_provider_did_not_sign_is_refused() -> None:
    public = KEY.as_pem(private=False)
    head, body, signature = made(claims()).split(".")
    for token in (
        made(claims(), OTHER_KEY),
        signed_by_hand("HS256", lambda content: hmac.digest(public, content, "sha256")),
        signed_by_hand("none", lambda content: b""),
        made(claims(), ECKey.generate_key("P-256", {"kid": "one"}), "ES256"),
        f"{head}.{body}.",
        f"{head}.{body}x.{signature}",
        "",
        "a.b.c",
    ):
        with pytest.raises(INVALID):
            accepted(token)


def logout(**changed: Any) -> dict[str, Any]:
    values = {"nonce": GONE, "sid": "s1", "jti": "j1", "events": {LOGOUT_EVENT: {}}}
    return claims(**values | changed)


def test_a_genuine_logout_token_is_accepted() -> None:
    assert logout_claims(signed(made(logout()), PUBLIC), AUDIENCE, NOW)["sid"] == "s1"


@pytest.mark.parametrize(
    "changed",
    [
        {"events": GONE},
        {"events": {}},
        {"events": {LOGOUT_EVENT: True}},
        {"events": LOGOUT_EVENT},
        {"nonce": "n-0S6"},
        {"sid": GONE, "sub": GONE},
        {"aud": "another client"},
        {"iss": "https://evil.example"},
        {"exp": int((NOW - timedelta(minutes=2)).timestamp())},
    ],
)
def test_what_is_no_logout_token_ends_nothing(changed: dict[str, Any]) -> None:
    provider = provider_with(lambda address: documents()[address])
    with pytest.raises(NotAccepted):
        provider.logged_out(made(logout(**changed)))


def documents(**changed: Any) -> dict[str, Any]:
    return {
        f"{ISSUER}/.well-known/openid-configuration": {
            "issuer": ISSUER,
            "jwks_uri": f"{ISSUER}/keys",
            **changed,
        },
        f"{ISSUER}/keys": PUBLIC,
    }


def provider_with(
    get: Callable[[str], Any], clock: Callable[[], datetime] = lambda: NOW
) -> OpenIdProvider:
    """One whose documents `get` returns."""
    made = OpenIdProvider(Client(issuer=ISSUER, client_id="countersign"), SignOnRules(), clock)
    made._get = lambda address, headers: get(address)  # type: ignore[method-assign]
    return made


def test_unknown_keys_are_fetched_at_most_once_a_minute() -> None:
    now, asked = [NOW], []

    def get(address: str) -> Any:
        asked.append(address)
        return documents()[address]

    provider = provider_with(get, lambda: now[0])
    for _ in range(5):
        with pytest.raises(NotAccepted):
            provider.logged_out(made(logout(), OTHER_KEY))
    assert asked.count(f"{ISSUER}/keys") == 1
    now[0] += timedelta(minutes=2)
    for _ in range(5):
        with pytest.raises(NotAccepted):
            provider.logged_out(made(logout(), OTHER_KEY))
    assert asked.count(f"{ISSUER}/keys") == 2


def test_a_discovery_document_of_another_issuer_is_not_used() -> None:
    provider = provider_with(lambda address: documents(issuer="https://evil.example")[address])
    with pytest.raises(Unreachable, match="evil"):
        provider.logged_out(made(logout()))


RULES = SignOnRules(
    roles_claim="realm_access.roles",
    roles=Settings(oidc_roles="ops=operator; cn=leads,dc=shop = admin").oidc_role_pairs,
    factors=frozenset({"mfa"}),
)


@pytest.mark.parametrize(
    ("given", "role"),
    [
        ({"realm_access": {"roles": ["ops", "unknown"]}}, "operator"),
        ({"realm_access": {"roles": ["cn=leads,dc=shop", "ops"]}}, "admin"),
        ({"realm_access.roles": "ops"}, "operator"),
        ({"realm_access": {"roles": ["OPS"]}}, ""),
        ({"realm_access": "ops"}, ""),
        ({"realm_access": {"roles": [["ops"], 7, None]}}, ""),
        ({}, ""),
    ],
)
def test_the_most_privileged_role_that_a_claim_gives_counts(
    given: dict[str, Any], role: str
) -> None:
    assert RULES.role_of(given) == role


@pytest.mark.parametrize(
    ("given", "proves"),
    [
        ({"amr": ["pwd", "mfa"]}, True),
        ({"acr": "mfa"}, True),
        ({"amr": ["pwd"], "acr": "1"}, False),
        ({}, False),
    ],
)
def test_a_second_factor_counts_by_the_values_that_are_trusted(
    given: dict[str, Any], proves: bool
) -> None:
    assert RULES.proves_second_factor(given) is proves
    assert not SignOnRules().proves_second_factor(given)


@pytest.mark.parametrize("text", ["ops", "=operator", "ops=", "ops=operator; x"])
def test_a_mapping_that_names_no_value_or_role_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"OIDC_ROLES has '(ops|=operator|ops=|x)'"):
        _ = Settings(oidc_roles=text).oidc_role_pairs


def test_a_person_is_read_from_the_claims() -> None:
    given = claims(preferred_username="Zoe@shop.example", name="Zoe Q", auth_time=1_772_355_600)
    who = person(given, RULES)
    assert (who.name, who.display_name, who.session) == ("Zoe", "Zoe Q", "")
    assert who.authenticated_at == NOW
    assert person(claims(), RULES).authenticated_at is None


@pytest.mark.parametrize("subject", ["", "x" * 256, "a\x00b", 7, None, ["a"]])
def test_a_subject_that_no_provider_may_send_is_refused(subject: Any) -> None:
    with pytest.raises(INVALID):
        person(claims(sub=subject), RULES)
