"""Groups: those of the identity provider, whose members get roles by SCIM_ROLES."""

from __future__ import annotations

import uuid

from flask import Response, url_for
from scim2_models import Context, Meta, PatchOp, Reference

from cqrs_app.interfaces.scim.answers import asked, one, page, read, require_version, with_version
from cqrs_app.interfaces.scim.doors import actor
from cqrs_app.interfaces.scim.resources import PROVIDER, Group, Member
from cqrs_app.platform.operators.errors import AccountError
from cqrs_app.platform.operators.provisioning import ProvisionedGroup
from cqrs_app.platform.operators.tables import EXTERNAL_LENGTH
from cqrs_app.services import services

UNUSABLE = f"displayName and externalId have 1 to {EXTERNAL_LENGTH} printable characters."


def groups() -> Response:
    question = asked(Group)
    return page(Group, list(map(_shown, services.provisioning.groups())), question)


def create_group() -> Response:
    given = read(Group, Context.RESOURCE_CREATION_REQUEST)
    made = services.provisioning.create_group(_provisioned(str(uuid.uuid4()), given), actor())
    return one(_versioned(made), 201, Context.RESOURCE_CREATION_RESPONSE)


def group(group_id: str) -> Response:
    return one(_versioned(services.provisioning.group(group_id)))


def replace_group(group_id: str) -> Response:
    given = read(Group, Context.RESOURCE_REPLACEMENT_REQUEST)
    before = _versioned(services.provisioning.group(group_id))
    require_version(before)
    given.replace(before)
    changed = services.provisioning.change_group(_provisioned(group_id, given), actor())
    return one(_versioned(changed), 200, Context.RESOURCE_REPLACEMENT_RESPONSE)


def patch_group(group_id: str) -> Response:
    patch = read(PatchOp[Group], Context.RESOURCE_PATCH_REQUEST)
    found = _versioned(services.provisioning.group(group_id))
    require_version(found)
    with PROVIDER:
        patch.patch(found)
    changed = services.provisioning.change_group(_provisioned(group_id, found), actor())
    return one(_versioned(changed), 200, Context.RESOURCE_PATCH_RESPONSE)


def delete_group(group_id: str) -> Response:
    require_version(_versioned(services.provisioning.group(group_id)))
    services.provisioning.delete_group(group_id, actor())
    return Response(status=204)


def _versioned(found: ProvisionedGroup) -> Group:
    return with_version(_shown(found))


def _shown(found: ProvisionedGroup) -> Group:
    return Group(
        id=found.group_id,
        external_id=found.external_id or None,
        display_name=found.display_name,
        members=[
            Member(value=name, ref=Reference(url_for("scim.user", name=name, _external=True)))
            for name in found.members
        ]
        or None,
        meta=Meta(
            resource_type="Group",
            created=found.created_at,
            location=url_for("scim.group", group_id=found.group_id, _external=True),
        ),
    )


def _provisioned(group_id: str, given: Group) -> ProvisionedGroup:
    title, external = (given.display_name or "").strip(), given.external_id or ""
    usable = title and title.isprintable() and external.isprintable()
    if not usable or max(len(title), len(external)) > EXTERNAL_LENGTH:
        raise AccountError(UNUSABLE)
    return ProvisionedGroup(
        group_id=group_id,
        display_name=title,
        external_id=external,
        members=tuple(dict.fromkeys(each.value for each in given.members or () if each.value)),
    )
