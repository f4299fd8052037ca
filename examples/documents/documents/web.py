"""What the form of an edit starts with: the text as it is, and its version."""

from collections.abc import Mapping
from typing import Any

from cqrs_app.interfaces.web.areas.area import WebArea
from cqrs_app.interfaces.web.ask import ask, query_or_404
from documents.commands import SaveDocument
from documents.read_model import GetDocument


def _as_it_is(given: Mapping[str, str]) -> dict[str, Any]:
    if "document_id" not in given:
        return {}
    missing = f"There is no document {given['document_id']}."
    found = ask(query_or_404(GetDocument, missing, document_id=given["document_id"])).value
    return {"text": found.text, "base_version": found.applied_version} if found else {}


WEB = WebArea(suggestions={SaveDocument: _as_it_is})
