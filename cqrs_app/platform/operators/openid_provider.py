"""An OpenID provider: its discovery document and keys, and the requests of the code flow with
PKCE."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.platform.operators.identities import Person
from cqrs_app.platform.operators.sign_on_rules import SignOnRules

SECONDS = 5.0
"""The longest time that somebody who signs in waits for each answer of the provider."""
DOCUMENTS_LIVE_SECONDS = 3600
KEYS_REST_SECONDS = 60
"""How long the keys are kept at least, whatever a token names: nobody can have them fetched with
each request."""
KEY_BYTES = 32


class Unreachable(Exception):
    """The provider did not answer, or not as the standard has it."""


class NotAccepted(Exception):
    """What the provider sent proves nothing. The text is for the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """This console at the provider. `name` is the provider's, on pages."""

    issuer: str
    client_id: str
    client_secret: str = ""
    name: str = "single sign-on"
    scopes: str = "openid profile email"


@dataclass(frozen=True, slots=True)
class Start:
    """Where a browser goes to sign in, and what has to fit when it comes back."""

    address: str
    state: str
    nonce: str
    verifier: str


class OpenIdProvider:
    """Raises Unreachable or NotAccepted. Needs the provider when somebody signs in, not before."""

    def __init__(
        self,
        client: Client,
        rules: SignOnRules,
        clock: Clock = utc_now,
    ) -> None:
        self.client = client
        self.rules = rules
        self._clock = clock
        self._documents: dict[str, tuple[float, dict[str, Any]]] = {}

    @property
    def name(self) -> str:
        return self.client.name

    def start(self, redirect_uri: str, *, max_age: int, afresh: bool = False) -> Start:
        """Begin to sign in. `max_age`: how many seconds ago the person may have proved at the
        provider who they are; `afresh`: they prove it again in any case."""
        state, nonce, verifier = (secrets.token_urlsafe(KEY_BYTES) for _ in range(3))
        more = {"prompt": "login"} if afresh else {}
        with self._session(redirect_uri) as session:
            address, _ = session.create_authorization_url(
                self._endpoint("authorization_endpoint"),
                state=state,
                nonce=nonce,
                code_verifier=verifier,
                max_age=str(max_age),
                **more,
            )
        return Start(str(address), state, nonce, verifier)

    def finish(self, redirect_uri: str, code: str, *, nonce: str, verifier: str) -> Person:
        """Exchange the code, which can be done once, for who signed in."""
        with self._session(redirect_uri) as session:
            answer = self._exchanged(session, code, verifier)
            token = self._signed(str(answer.get("id_token") or ""))
            try:
                claims = _tokens().identity_claims(
                    token,
                    self._audience,
                    self._clock(),
                    nonce=nonce,
                    access_token=answer.get("access_token"),
                )
                more = self._user_info(str(answer.get("access_token") or ""), claims["sub"])
                # What is signed counts for more.
                who: Person = _tokens().person(more | claims, self.rules)
            except _tokens().INVALID as error:
                raise NotAccepted(f"ID token: {error!r}") from error
            return who

    def logged_out(self, token: str) -> dict[str, Any]:
        """The claims of a logout token: `sid`, `sub` or both."""
        decoded = self._signed(token)
        try:
            claims: dict[str, Any] = _tokens().logout_claims(decoded, self._audience, self._clock())
        except (*_tokens().INVALID, AttributeError) as error:
            raise NotAccepted(f"logout token: {error!r}") from error
        return claims

    def _exchanged(self, session: Any, code: str, verifier: str) -> Mapping[str, Any]:
        from authlib.integrations.base_client import OAuthError
        from requests import RequestException

        try:
            answer: Mapping[str, Any] = session.fetch_token(
                self._endpoint("token_endpoint"),
                grant_type="authorization_code",
                code=code,
                code_verifier=verifier,
            )
        except OAuthError as error:
            raise NotAccepted(f"code: {error}") from error
        except (RequestException, ValueError) as error:
            raise Unreachable(str(error)) from error
        return answer

    def _user_info(self, access_token: str, subject: str) -> dict[str, Any]:
        """What the provider says about the person apart from the ID token."""
        address = self._metadata().get("userinfo_endpoint")
        if not (address and access_token):
            return {}
        claims = self._get(address, {"Authorization": f"Bearer {access_token}"})
        if claims.get("sub") != subject:
            raise NotAccepted("the user info is about another person")
        return claims

    def _signed(self, token: str) -> Any:
        """The token, whose signature is the provider's."""
        keys = self._document(self._endpoint("jwks_uri"))
        try:
            return _tokens().signed(token, keys)
        except _tokens().INVALID:
            # The provider may have new keys.
            newer = self._document(self._endpoint("jwks_uri"), KEYS_REST_SECONDS)
        try:
            return _tokens().signed(token, newer)
        except _tokens().INVALID as error:
            raise NotAccepted(f"signature: {error!r}") from error

    @property
    def _audience(self) -> Any:
        return _tokens().Audience(issuer=self.client.issuer, client_id=self.client.client_id)

    def _endpoint(self, name: str) -> str:
        address = self._metadata().get(name)
        if not isinstance(address, str):
            raise Unreachable(f"its discovery document has no {name}")
        return address

    def _metadata(self) -> dict[str, Any]:
        issuer = self.client.issuer
        found = self._document(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise Unreachable(f"its discovery document names the issuer {found.get('issuer')!r}")
        return found

    def _document(self, address: str, lives: float = DOCUMENTS_LIVE_SECONDS) -> dict[str, Any]:
        """A document of the provider, at most so many seconds old."""
        now = self._clock().timestamp()
        read_at, document = self._documents.get(address, (0.0, {}))
        if not 0 <= now - read_at < lives:
            document = self._get(address, {})
            self._documents[address] = (now, document)
        return document

    def _get(self, address: str, headers: dict[str, str]) -> dict[str, Any]:
        import requests

        try:
            answer = requests.get(address, headers=headers, timeout=SECONDS, allow_redirects=False)
            answer.raise_for_status()
            found = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise Unreachable(str(error)) from error
        if not isinstance(found, dict):
            raise Unreachable(f"{address} answered with no JSON object")
        return found

    def _session(self, redirect_uri: str) -> Any:
        from authlib.integrations.requests_client import OAuth2Session

        secret = self.client.client_secret
        methods = self._metadata().get("token_endpoint_auth_methods_supported") or []
        in_form = "client_secret_post" in methods and "client_secret_basic" not in methods
        return OAuth2Session(
            self.client.client_id,
            secret or None,
            token_endpoint_auth_method=(
                "none" if not secret else "client_secret_post" if in_form else "client_secret_basic"
            ),
            scope=self.client.scopes,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            default_timeout=SECONDS,
        )


def _tokens() -> ModuleType:
    from cqrs_app.platform.operators import openid_tokens

    return openid_tokens
