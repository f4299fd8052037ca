"""Reading requests and writing answers: one resource with its version, or a page of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from flask import Response, request
from scim2_models import (
    BaseModel,
    Context,
    ListResponse,
    Meta,
    PreconditionFailedException,
    Resource,
    ResponseParameters,
    SearchRequest,
)
from scim2_models.exceptions import InvalidSyntaxException

from cqrs_app.interfaces.scim.doors import answer
from cqrs_app.interfaces.scim.resources import LARGEST_PAGE, PROVIDER
from cqrs_app.kernel.messages.fields import plain_json

R = TypeVar("R", bound="Resource[Any]")
B = TypeVar("B", bound=BaseModel)


def body() -> Any:
    """The JSON in the body. Raises InvalidSyntaxException."""
    try:
        found = plain_json(request.get_data(cache=False))
    except ValueError as error:
        raise InvalidSyntaxException(detail=str(error)) from None
    if not isinstance(found, dict):
        raise InvalidSyntaxException(detail="Send one JSON object.")
    return found


def read(cls: type[B], context: Context, **defaults: Any) -> B:
    """The resource or message in the body; `defaults` are attributes that a client may leave out.
    Raises ValidationError."""
    return cls.model_validate(defaults | body(), scim_ctx=context, scim_provider=PROVIDER)


def with_version(resource: R) -> R:
    """The same with its version, which changes with any attribute."""
    content = resource.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
    content.get("meta", {}).pop("version", None)
    digest = hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()
    resource.meta = (resource.meta or Meta()).model_copy(update={"version": f'W/"{digest[:24]}"'})
    return resource


def version_of(resource: Resource[Any]) -> str:
    return (resource.meta and resource.meta.version) or ""


def require_version(resource: Resource[Any]) -> None:
    """Raise PreconditionFailedException if the client has seen another version."""
    wanted = request.headers.get("If-Match", "")
    versions = {each.strip() for each in wanted.split(",")}
    if wanted and versions.isdisjoint({"*", version_of(resource)}):
        raise PreconditionFailedException(
            detail="It has changed since. Nothing was done. Read it again."
        )


def one(
    resource: Resource[Any], status: int = 200, context: Context = Context.RESOURCE_QUERY_RESPONSE
) -> Response:
    """The resource with its version, with the attributes that are asked for; 304 if the client has
    it."""
    version = version_of(resource)
    headers = {"ETag": version, "Location": str(resource.meta.location if resource.meta else "")}
    if request.method == "GET" and version in request.headers.get("If-None-Match", ""):
        return Response(status=304, headers=headers)
    chosen = ResponseParameters[type(resource)].model_validate(  # type: ignore[misc]
        _parameters("attributes", "excludedAttributes"), scim_provider=PROVIDER
    )
    content = resource.model_dump(scim_ctx=context, response_parameters=chosen)
    return answer(content, status, headers)


def asked(cls: type[R]) -> SearchRequest[R]:
    """The search in the address, or in the body. Raises ValidationError."""
    given = body() if request.method == "POST" else _parameters(*SEARCH)
    context = Context.SEARCH_REQUEST if request.method == "POST" else Context.DEFAULT
    return SearchRequest[cls].model_validate(  # type: ignore[valid-type]
        given, scim_ctx=context, scim_provider=PROVIDER
    )


SEARCH = (
    "filter sortBy sortOrder startIndex count attributes excludedAttributes".split()  # noqa: SIM905
)


def page(cls: type[R], found: Sequence[R], question: SearchRequest[R]) -> Response:
    """The page of `found` that is asked for, sorted and filtered."""
    matching = [each for each in found if not question.filter or question.filter.match(each)]
    if question.sort_by:
        matching = question.sort(matching)
    start = question.start_index_0 or 0
    count = min(LARGEST_PAGE if question.count is None else question.count, LARGEST_PAGE)
    shown = list(map(with_version, matching[start : start + count]))
    response = ListResponse[cls](  # type: ignore[valid-type]
        total_results=len(matching),
        start_index=start + 1,
        items_per_page=len(shown),
        resources=shown,
    )
    context = Context.RESOURCE_QUERY_RESPONSE
    return answer(response.model_dump(scim_ctx=context, response_parameters=question))


def _parameters(*names: str) -> dict[str, str]:
    return {name: request.args[name] for name in names if name in request.args}
