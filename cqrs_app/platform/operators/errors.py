"""Why an account or a token cannot be created or changed. The text is one sentence."""

from __future__ import annotations


class AccountError(Exception):
    """The text is for the person who made the request. Nothing was changed."""


class UnusableName(AccountError):
    """The name is not valid for an operator or a token."""


class WeakPassword(AccountError):
    """The password is too weak, or too long."""


class TokenError(AccountError):
    """The token cannot be created, or there is none to revoke."""
