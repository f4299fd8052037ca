"""Uploads files to a console and imports them, in this process."""

from __future__ import annotations

import io
import uuid
from typing import Any

from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.platform.transfer.imports.background import carry_out
from cqrs_app.platform.transfer.uploads.receiving import Files
from cqrs_app.platform.transfer.uploads.tables import import_chunks, imports
from cqrs_app.platform.transfer.uploads.work import Work
from cqrs_app.services import services_of
from tests.interfaces.web.pages.test_without_scripts import page
from tests.platform.transfer.imports.test_online_retail import HEADER, ROWS

DAY = "\n".join(
    ",".join(f'"{value.replace(chr(34), chr(34) * 2)}"' for value in row) for row in (HEADER, *ROWS)
).encode()


def send(
    client: FlaskClient, content: bytes = DAY, name: str = "day.csv", **changed: Any
) -> TestResponse:
    """Fill in and send the form of the Imports page, like a browser."""
    values = upload_fields(client) | changed
    return post(client, values, content, name)


def upload_fields(client: FlaskClient) -> dict[str, Any]:
    """The fields of the form on the Imports page."""
    form = page(client, "/imports").select_one('form[enctype="multipart/form-data"]')
    assert form is not None
    return {str(each["name"]): each.get("value", "") for each in form.select("input[type=hidden]")}


def post(client: FlaskClient, values: dict[str, Any], content: bytes, name: str) -> TestResponse:
    values = {**values, "profile": values.get("profile") or "online-retail"}
    data = {**values, "file": (io.BytesIO(content), name)}
    return client.post("/imports", data=data, content_type="multipart/form-data")


def id_in(answer: TestResponse) -> str:
    """The id of the import that a response redirects to."""
    assert answer.status_code == 303, BeautifulSoup(answer.get_data(), "html.parser").get_text(" ")
    return str(uuid.UUID(answer.location.rpartition("/")[2]))


def files_of(app: Flask) -> Files:
    return Files(services_of(app).kernel.engines.write)


def work_of(app: Flask) -> Work:
    return Work(services_of(app).kernel.engines.write)


def take_in(app: Flask, import_id: str) -> Any:
    """Do the work of the background process; returns the row of the import."""
    attempt, task = work_of(app).take(import_id), files_of(app).task_of(import_id)
    assert attempt is not None
    assert task is not None
    carry_out(services_of(app).kernel, task, attempt)
    return row_of(app, import_id)


def row_of(app: Flask, import_id: str) -> Any:
    kernel: Kernel = services_of(app).kernel
    with kernel.engines.write.connect() as connection:
        return connection.execute(
            select(imports).where(imports.c.import_id == import_id)
        ).one_or_none()


def kept(app: Flask) -> tuple[int, int]:
    """The number of stored imports and of stored chunks."""
    with services_of(app).kernel.engines.write.connect() as connection:
        return tuple(
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (imports, import_chunks)
        )  # type: ignore[return-value]
