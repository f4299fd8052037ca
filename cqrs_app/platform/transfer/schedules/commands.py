"""What people do with exports that are made on a schedule."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from cqrs_app.kernel.messages.messages import Command, command
from cqrs_app.platform.transfer.exports.rows import PERMISSION

MOST_SENT = 8 * 1024**2
"""Bytes of a file that is sent to a webhook: a receiver has ten seconds for it."""


class ExportFormat(StrEnum):
    """Names of formats.FORMATS."""

    CSV = "csv"
    CSV_EXCEL = "csv-excel"
    XLSX = "xlsx"
    JSONL = "jsonl"
    PARQUET = "parquet"


class ExportDays(StrEnum):
    """The days of a schedule."""

    DAILY = "daily"
    WEEKDAYS = "weekdays"
    MONDAYS = "mondays"
    TUESDAYS = "tuesdays"
    WEDNESDAYS = "wednesdays"
    THURSDAYS = "thursdays"
    FRIDAYS = "fridays"
    SATURDAYS = "saturdays"
    SUNDAYS = "sundays"
    MONTHLY = "monthly"


ScheduleName = Annotated[
    str,
    Meta(
        title="Name",
        description="Small letters, digits and hyphens.",
        examples=["orders-to-ship"],
        pattern=r"^[a-z0-9][a-z0-9-]*(?!\n)$",
        min_length=1,
        max_length=60,
    ),
]


@command(label="Schedule export", permission=PERMISSION, step_up=True)
class ScheduleExport(Command):
    """Have a list made into a file at a time of day, with your permissions at that time. The files
    are kept for a week, for you alone, and can also be sent to a webhook."""

    schedule: ScheduleName
    list: Annotated[
        str,
        Meta(
            title="List",
            description="A list of which views can be saved.",
            examples=["orders"],
            pattern=r"^[a-z-]+(?!\n)$",
            min_length=1,
            max_length=40,
        ),
    ]
    view: Annotated[
        str,
        Meta(
            title="View",
            description="The name of a view of yours or of the team. Empty: the whole list.",
            examples=["Ready to ship, Germany"],
            pattern=r"^(\S(.*\S)?)?(?!\n)$",
            max_length=40,
        ),
    ] = ""
    format: Annotated[ExportFormat, Meta(title="Format")] = ExportFormat.CSV
    days: Annotated[
        ExportDays, Meta(title="Days", description="Monthly: on the first day of the month.")
    ] = ExportDays.DAILY
    at: Annotated[
        str,
        Meta(
            title="Time of day",
            description="In the time zone of the shop.",
            examples=["06:00"],
            pattern=r"^([01]\d|2[0-3]):[0-5]\d(?!\n)$",
            min_length=5,
            max_length=5,
            extra={"inputmode": "numeric", "autocomplete": "off"},
        ),
    ] = "06:00"
    webhook_id: Annotated[
        str,
        Meta(
            title="Send to webhook",
            description="Its name. Empty: the files are only kept for download. A file of more "
            f"than {MOST_SENT // 1024**2} MiB is not sent.",
            examples=["warehouse"],
            pattern=r"^([a-z0-9][a-z0-9\-]*)?(?!\n)$",
            max_length=40,
        ),
    ] = ""


@command(label="Delete scheduled export", permission=PERMISSION, risky=True)
class DeleteScheduledExport(Command):
    """Make no more of its files, and delete those that are kept."""

    schedule: ScheduleName
