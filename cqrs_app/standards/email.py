"""E-mail addresses: one validator for all interfaces, and one text per address."""

from __future__ import annotations

import unicodedata

NO_ADDRESS = "Enter an e-mail address, e.g. ana@example.org."


def email_address(text: str) -> str:
    """The address as it is stored: compatibility forms such as full-width letters are normalized,
    and the domain is in lowercase.

    Raises ValueError with a sentence for an invalid one. The domain is not looked up, so the result
    does not depend on the network.
    """
    from email_validator import EmailNotValidError, validate_email  # slow to import

    try:
        found = validate_email(unicodedata.normalize("NFKC", text), check_deliverability=False)
    except EmailNotValidError:
        raise ValueError(NO_ADDRESS) from None
    return found.normalized


def email_key(address: str) -> str:
    """The same for two spellings of one address: case is ignored, and the domain is in its ASCII
    form (IDNA)."""
    from email_validator import EmailNotValidError, validate_email

    try:
        found = validate_email(unicodedata.normalize("NFKC", address), check_deliverability=False)
    except EmailNotValidError:  # an address of an older event
        return address.casefold()
    return f"{found.local_part.casefold()}@{found.ascii_domain.casefold()}"
