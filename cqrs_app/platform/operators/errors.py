"""Why an account or a token cannot be made or changed; each says it in one sentence."""

from __future__ import annotations


class AccountError(Exception):
    """The text is for the person who asked. Nothing was changed."""


class UnusableName(AccountError):
    """The name cannot be an operator's or a token's."""


class WeakPassword(AccountError):
    """The password does not protect the account."""


class TokenError(AccountError):
    """The token cannot be made, or there is none to revoke."""
