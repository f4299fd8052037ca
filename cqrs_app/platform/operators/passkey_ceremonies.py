"""The ceremonies of WebAuthn: options for the browser, and what its response proves.

Pure: no database, no clock. Imported when the first passkey is used, since the library takes half a
second to load.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import webauthn
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    generate_challenge,
    parse_authentication_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from cqrs_app.platform.operators.sites import Site

UNPROVEN = (WebAuthnException, ValueError, RecursionError)
"""What these functions raise about a response that proves nothing."""
_VERIFIED = UserVerificationRequirement.REQUIRED


def new_challenge() -> str:
    """In base64url."""
    return bytes_to_base64url(generate_challenge())


def registration_options(
    operator: str, issuer: str, challenge: str, site: Site, known: Iterable[str]
) -> str:
    """The options of navigator.credentials.create() as JSON. `known`: credentials that exist."""
    options = webauthn.generate_registration_options(
        rp_id=site.domain,
        rp_name=issuer,
        user_name=operator,
        user_id=_handle(operator),
        challenge=base64url_to_bytes(challenge),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_VERIFIED
        ),
        exclude_credentials=_descriptors(known),
    )
    return webauthn.options_to_json(options)


def authentication_options(challenge: str, site: Site, known: Iterable[str]) -> str:
    """The options of navigator.credentials.get() as JSON. With none `known`, the owner chooses any
    passkey of this site."""
    options = webauthn.generate_authentication_options(
        rp_id=site.domain,
        challenge=base64url_to_bytes(challenge),
        allow_credentials=_descriptors(known),
        user_verification=_VERIFIED,
    )
    return webauthn.options_to_json(options)


def registered(response: str, challenge: str, site: Site) -> dict[str, Any]:
    """The new credential, as columns. Raises UNPROVEN."""
    made = webauthn.verify_registration_response(
        credential=response,
        expected_challenge=base64url_to_bytes(challenge),
        expected_rp_id=site.domain,
        expected_origin=site.origin,
        require_user_verification=True,
    )
    return {
        "credential_id": bytes_to_base64url(made.credential_id),
        "public_key": made.credential_public_key,
        "sign_count": made.sign_count,
        "backup_eligible": made.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        "backed_up": made.credential_backed_up,
    }


def parsed(response: str) -> tuple[AuthenticationCredential, str]:
    """A response of navigator.credentials.get() and its credential's id. Raises UNPROVEN."""
    sent = parse_authentication_credential_json(response)
    return sent, bytes_to_base64url(sent.raw_id)


def asserted(
    sent: AuthenticationCredential, row: Any, challenge: str, site: Site
) -> dict[str, Any]:
    """What changes in the credential's row, once the response is proven. Raises UNPROVEN."""
    if sent.response.user_handle not in (None, _handle(row.operator)):
        raise ValueError("the passkey is another operator's")
    proof = webauthn.verify_authentication_response(
        credential=sent,
        expected_challenge=base64url_to_bytes(challenge),
        expected_rp_id=site.domain,
        expected_origin=site.origin,
        credential_public_key=row.public_key,
        credential_current_sign_count=row.sign_count,
        require_user_verification=True,
    )
    return {"sign_count": proof.new_sign_count, "backed_up": proof.credential_backed_up}


def _descriptors(known: Iterable[str]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(each)) for each in known]


def _handle(operator: str) -> bytes:
    """What authenticators keep to tell accounts apart: no name in it."""
    return hashlib.sha256(f"countersign operator {operator}".encode()).digest()
