"""Time stamps of an authority (RFC 3161): a signed statement that a content existed at a time.

The library is imported when it is first used: few processes need it.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING

from cqrs_app.platform.webhooks.sending import post
from cqrs_app.platform.webhooks.targets import Network

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

QUERY = {"Content-Type": "application/timestamp-query", "User-Agent": "Countersign-Seals/1"}


class NotStamped(Exception):
    """Says why, as a sentence."""


def stamp(url: str, content: bytes, allowed: tuple[Network, ...]) -> bytes:
    """The authority's response for `content`, of which it gets only the SHA-256. Raises NotStamped.

    Whose signature it is, `stamped_at` checks.
    """
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    query = TimestampRequestBuilder(content, HashAlgorithm.SHA256).build()
    answer = post(url, query.as_bytes(), QUERY, allowed)
    if answer.error:
        raise NotStamped(answer.error)
    response = _decoded(answer.body)
    of = response.tst_info
    if of.message_imprint.message != hashlib.sha256(content).digest() or of.nonce != query.nonce:
        raise NotStamped("The authority stamped something else.")
    return answer.body


def stamped_at(body: bytes, content: bytes, roots: bytes) -> datetime:
    """When an authority below one of the certificates `roots`, in PEM, stamped `content`. Raises
    NotStamped."""
    from cryptography.x509 import load_pem_x509_certificates
    from rfc3161_client import VerificationError, VerifierBuilder

    try:
        certificates = load_pem_x509_certificates(roots)
    except ValueError:
        raise NotStamped("The file with the certificates is not PEM.") from None
    response = _decoded(body)
    try:
        VerifierBuilder(roots=certificates).build().verify_message(response, content)
    except VerificationError as error:
        raise NotStamped(f"The time stamp does not hold: {error}.") from None
    return response.tst_info.gen_time


def _decoded(body: bytes) -> TimeStampResponse:
    from rfc3161_client import PKIStatus, decode_timestamp_response

    try:
        response = decode_timestamp_response(body)
    except ValueError:
        raise NotStamped("That is no time stamp of RFC 3161.") from None
    if PKIStatus(response.status) != PKIStatus.GRANTED:
        reasons = " ".join(response.status_string)
        raise NotStamped(f"The authority refused. {reasons}".strip())
    return response
