"""The first operator of a new console."""

from __future__ import annotations

from cqrs_app.platform.operators import passwords
from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.platform.operators.errors import AccountError, UnusableName, WeakPassword
from cqrs_app.settings import Settings


def ensure_first_operator(settings: Settings, accounts: Accounts) -> str | None:
    """Create the administrator named in the settings if there is no operator. Operators of an
    earlier release get the begin of a history.

    It changes the password at the first sign-in, except in a demo shop (DEMO_ORDERS above 0), which
    is there to look at.

    Returns the password if it was generated, to be shown once. Raises SystemExit with one sentence
    if the name or password in the settings is invalid, or commands are switched off.
    """
    accounts.record_earlier()
    if accounts.any():
        return None
    password = settings.admin_password or passwords.generate()
    try:
        accounts.create(
            settings.admin_name,
            "admin",
            password,
            must_change_password=settings.demo_orders == 0,
        )
    except WeakPassword as error:
        raise SystemExit(f"ADMIN_PASSWORD cannot be used. {error}") from error
    except UnusableName as error:
        raise SystemExit(f"ADMIN_NAME cannot be used. {error}") from error
    except AccountError as error:
        raise SystemExit(f"The first operator cannot be created. {error}") from error
    return None if settings.admin_password else password
