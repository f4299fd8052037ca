"""The signed cookie of a session, which every request brings."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any, cast

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import BadSignature, TimestampSigner, URLSafeTimedSerializer

COOKIES_KEPT = 1_000


class SignedCookies(SecureCookieSessionInterface):
    """Flask's own cookies. Browsers send the same one again and again: who has signed it is found
    out once per process, and what signs is not made anew for each request."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession:
        return self.session_class(self.read(app, request.cookies))

    def read(self, app: Flask, cookies: Any) -> dict[str, Any]:
        """What the session's cookie among these says; nothing where it is not ours or too old."""
        value = cookies.get(self.get_cookie_name(app))
        if not value:
            return {}
        serializer = self.get_signing_serializer(app)
        try:
            payload, signed_at = _unsigned(serializer, value)
        except BadSignature:
            return {}
        age = int(time.time()) - signed_at
        kept = 0 <= age <= app.permanent_session_lifetime.total_seconds()
        return dict(serializer.load_payload(payload)) if kept else {}

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer:
        if not app.secret_key:
            raise ValueError("a session needs a secret key")
        return _serializer((*app.config["SECRET_KEY_FALLBACKS"], app.secret_key))


@lru_cache(4)
def _serializer(keys: tuple[str | bytes, ...]) -> URLSafeTimedSerializer:
    cookies = SecureCookieSessionInterface
    return URLSafeTimedSerializer(
        list(keys),  # type: ignore[arg-type]  # as Flask has it
        salt=cookies.salt,
        serializer=cookies.serializer,
        signer_kwargs={
            "key_derivation": cookies.key_derivation,
            "digest_method": cookies.digest_method,
        },
    )


@lru_cache(COOKIES_KEPT)
def _unsigned(serializer: URLSafeTimedSerializer, value: str) -> tuple[bytes, int]:
    """The payload and when it was signed, in seconds since 1970. Raises BadSignature."""
    signer = cast("TimestampSigner", serializer.make_signer(serializer.salt))
    payload, signed_at = signer.unsign(value, return_timestamp=True)
    return payload, int(signed_at.timestamp())
