"""What the service can do: its configuration, resource types and schemas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, request, url_for
from scim2_models import Context, ListResponse, Meta, Resource, ResourceType, Schema
from scim2_models.exceptions import ForbiddenException, NotFoundException, NotImplementedException

from cqrs_app.interfaces.scim.doors import answer
from cqrs_app.interfaces.scim.resources import CONFIG, PROVIDER


def config() -> Response:
    location = url_for("scim.config", _external=True)
    return _one(CONFIG, "ServiceProviderConfig", location)


def resource_types() -> Response:
    return _list(ResourceType, PROVIDER.resource_types, "scim.resource_type")


def resource_type(key: str) -> Response:
    return _find(PROVIDER.resource_types, key, "ResourceType")


def schemas() -> Response:
    return _list(Schema, PROVIDER.schemas, "scim.schema")


def schema(key: str) -> Response:
    return _find(PROVIDER.schemas, key, "Schema")


def search() -> Response:
    detail = "Search /Users/.search or /Groups/.search."
    raise NotImplementedException(detail=detail)


def _find(resources: Sequence[Any], key: str, kind: str) -> Response:
    for each in resources:
        if each.id == key:
            return _one(each, kind, request.base_url)
    raise NotFoundException(detail=f"There is no {kind} {key[:200]}.")


def _one(resource: Resource[Any], kind: str, location: str) -> Response:
    shown = resource.model_copy(update={"meta": Meta(resource_type=kind, location=location)})
    return answer(shown.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE))


def _list(cls: type[Any], resources: Sequence[Any], endpoint: str) -> Response:
    if "filter" in request.args:
        raise ForbiddenException(detail="This list cannot be filtered.")
    shown = [
        each.model_copy(
            update={
                "meta": Meta(
                    resource_type=cls.__name__,
                    location=url_for(endpoint, key=each.id, _external=True),
                )
            }
        )
        for each in resources
    ]
    response = ListResponse[cls](  # type: ignore[valid-type]
        total_results=len(shown), start_index=1, items_per_page=len(shown), resources=shown
    )
    return answer(response.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE))
