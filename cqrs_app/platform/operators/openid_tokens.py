"""The tokens of an OpenID provider: verified, and what they say about a person.

Pure: no request, no database, no clock. Imported when somebody first signs in with the provider,
since the libraries take a while to load.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from authlib.oauth2.claims import JWTClaims
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidClaimError, JoseError, MissingClaimError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from cqrs_app.platform.operators.identities import Identity, Person
from cqrs_app.platform.operators.sign_on_rules import SignOnRules

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
ALGORITHMS += ["EdDSA", "Ed25519"]
"""Signatures with a public key. With a shared secret, whoever reads the settings could sign in as
anyone; "none" is no signature at all."""
LEEWAY_SECONDS = 60
"""By how much the clocks of the provider and of this machine may differ."""
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
INVALID = (JoseError, ValueError, TypeError, KeyError)
"""What these functions raise about a token that proves nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Who must have made a token, and for whom."""

    issuer: str
    client_id: str

    @property
    def options(self) -> dict[str, Any]:
        return {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self.client_id},
            "exp": {"essential": True},
            "iat": {"essential": True},
        }


def signed(token: str, keys: Mapping[str, Any]) -> jwt.Token:
    """The token, whose signature is by one of these keys. Raises INVALID."""
    registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    return jwt.decode(token, key=KeySet.import_key_set(keys), registry=registry)  # type: ignore[arg-type]


def identity_claims(
    token: jwt.Token,
    audience: Audience,
    now: datetime,
    *,
    nonce: str,
    access_token: str | None = None,
) -> dict[str, Any]:
    """The claims of an ID token (OpenID Connect Core 1.0, 3.1.3.7). Raises INVALID."""
    params = {"nonce": nonce, "client_id": audience.client_id, "access_token": access_token}
    claims = CodeIDToken(token.claims, token.header, audience.options, params)
    claims.validate(now=round(now.timestamp()), leeway=LEEWAY_SECONDS)
    return dict(claims)


def logout_claims(token: jwt.Token, audience: Audience, now: datetime) -> dict[str, Any]:
    """The claims of a logout token (OpenID Connect Back-Channel Logout 1.0, 2.6). Raises
    INVALID."""
    claims = JWTClaims(token.claims, token.header, audience.options)
    claims.validate(now=round(now.timestamp()), leeway=LEEWAY_SECONDS)
    if not isinstance(claims["events"].get(LOGOUT_EVENT), dict):
        raise InvalidClaimError("events")
    if "nonce" in claims:  # an ID token is no logout token
        raise InvalidClaimError("nonce")
    if not (claims.get("sid") or claims.get("sub")):
        raise MissingClaimError("sub")
    return dict(claims)


def person(claims: Mapping[str, Any], rules: SignOnRules) -> Person:
    """Who these claims are about. Raises ValueError."""
    time = claims.get("auth_time")
    name = str(claims.get(rules.name_claim) or "").partition("@")[0]
    return Person(
        identity=Identity.of(claims["iss"], claims["sub"]),
        name=name,
        display_name=str(claims.get("name") or name),
        role=rules.role_of(claims),
        session=str(claims.get("sid") or ""),
        second_factor=rules.proves_second_factor(claims),
        authenticated_at=None if time is None else datetime.fromtimestamp(float(time), UTC),
    )
