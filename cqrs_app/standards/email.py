"""E-mail addresses: one validator for every door, and one text for one address."""

from __future__ import annotations

import unicodedata

NO_ADDRESS = "Enter an e-mail address, e.g. ana@example.org."


def email_address(text: str) -> str:
    """The address as it is stored: compatibility forms such as full-width letters written as
    usual, the domain in small letters. Raises ValueError with a sentence for what is none.

    Whether the domain exists is not asked: the network decides nothing here.
    """
    from email_validator import EmailNotValidError, validate_email  # slow to import

    try:
        found = validate_email(unicodedata.normalize("NFKC", text), check_deliverability=False)
    except EmailNotValidError:
        raise ValueError(NO_ADDRESS) from None
    return found.normalized


def email_key(address: str) -> str:
    """What two spellings of one address have in common: capital letters make no other address,
    and a domain is compared in its ASCII form (IDNA)."""
    from email_validator import EmailNotValidError, validate_email

    try:
        found = validate_email(unicodedata.normalize("NFKC", address), check_deliverability=False)
    except EmailNotValidError:  # an address of an older event
        return address.casefold()
    return f"{found.local_part.casefold()}@{found.ascii_domain.casefold()}"
