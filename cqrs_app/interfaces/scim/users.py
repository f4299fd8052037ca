"""Users: the operators."""

from __future__ import annotations

import re

from flask import Response, url_for
from scim2_models import Context, GroupMembership, Meta, PatchOp, Reference

from cqrs_app.interfaces.scim.answers import asked, one, page, read, require_version, with_version
from cqrs_app.interfaces.scim.doors import actor
from cqrs_app.interfaces.scim.resources import PROVIDER, Email, User
from cqrs_app.platform.operators.errors import AccountError
from cqrs_app.platform.operators.names import account_of
from cqrs_app.platform.operators.provisioning import ProvisionedUser
from cqrs_app.platform.operators.tables import EXTERNAL_LENGTH
from cqrs_app.services import services

BY_NAME = re.compile(r'\s*(?:userName|id)\s+eq\s+"([^"\\]*)"\s*', re.IGNORECASE)
"""The filter that providers send before they create a user."""
UNUSABLE = f"externalId has at most {EXTERNAL_LENGTH} printable characters."


def users() -> Response:
    question = asked(User)
    named = BY_NAME.fullmatch(question.filter or "")
    found = services.provisioning.users([account_of(named[1])] if named else None)
    return page(User, list(map(_shown, found)), question)


def create_user() -> Response:
    given = read(User, Context.RESOURCE_CREATION_REQUEST, active=True)
    name = account_of(given.user_name or "")
    made = services.provisioning.create_user(_provisioned(name, given), actor())
    return one(_versioned(made), 201, Context.RESOURCE_CREATION_RESPONSE)


def user(name: str) -> Response:
    return one(_versioned(services.provisioning.user(name)))


def replace_user(name: str) -> Response:
    given = read(User, Context.RESOURCE_REPLACEMENT_REQUEST, active=True)
    before = _versioned(services.provisioning.user(name))
    require_version(before)
    given.replace(before)
    changed = services.provisioning.change_user(_provisioned(name, given), actor())
    return one(_versioned(changed), 200, Context.RESOURCE_REPLACEMENT_RESPONSE)


def patch_user(name: str) -> Response:
    patch = read(PatchOp[User], Context.RESOURCE_PATCH_REQUEST)
    found = _versioned(services.provisioning.user(name))
    require_version(found)
    with PROVIDER:
        patch.patch(found)
    changed = services.provisioning.change_user(_provisioned(name, found), actor())
    return one(_versioned(changed), 200, Context.RESOURCE_PATCH_RESPONSE)


def delete_user(name: str) -> Response:
    require_version(_versioned(services.provisioning.user(name)))
    services.provisioning.delete_user(name, actor())
    return Response(status=204)


def _versioned(found: ProvisionedUser) -> User:
    return with_version(_shown(found))


def _shown(found: ProvisionedUser) -> User:
    return User(
        id=found.name,
        external_id=found.external_id or None,
        user_name=found.name,
        # A name that is shown as the account is called was not given.
        display_name=found.display_name if found.display_name != found.name else None,
        active=found.active,
        emails=[Email(value=found.email)] if found.email else None,
        groups=[
            GroupMembership(
                value=group_id,
                ref=Reference(url_for("scim.group", group_id=group_id, _external=True)),
                display=title,
                type="direct",
            )
            for group_id, title in found.groups
        ]
        or None,
        meta=Meta(
            resource_type="User",
            created=found.created_at,
            location=url_for("scim.user", name=found.name, _external=True),
        ),
    )


def _provisioned(name: str, given: User) -> ProvisionedUser:
    external = given.external_id or ""
    if len(external) > EXTERNAL_LENGTH or not external.isprintable():
        raise AccountError(UNUSABLE)
    # A console keeps one address: the one that was added last.
    emails = [each.value for each in given.emails or () if each.value]
    return ProvisionedUser(
        name=name,
        display_name=" ".join((given.display_name or "").split()),
        email=emails[-1] if emails else "",
        active=given.active is not False,
        external_id=external,
    )
