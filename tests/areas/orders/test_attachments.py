"""Files that are kept with an order."""

from __future__ import annotations

import pytest

from cqrs_app.areas.orders import commands as do
from cqrs_app.areas.orders import events as was
from cqrs_app.areas.orders.types import MOST_ATTACHMENTS
from cqrs_app.kernel import Invalid
from tests.areas.orders.given import PLACED, given

THE = "536365"


def file_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def attach(number: int = 1, name: str = "damage.jpg") -> do.AttachFile:
    return do.AttachFile(
        order_id=THE,
        file_id=file_id(number),
        name=name,
        media_type="image/jpeg",
        size=3,
        sha256="0" * 64,
    )


def attached(number: int = 1) -> was.FileAttached:
    return was.FileAttached(
        order_id=THE,
        customer_id=PLACED.customer_id,
        number=number,
        file_id=file_id(number),
        name="damage.jpg",
        media_type="image/jpeg",
        size=3,
        sha256="0" * 64,
    )


def removed(number: int) -> was.AttachmentRemoved:
    return was.AttachmentRemoved(
        order_id=THE, number=number, file_id=file_id(number), reason="Wrong order."
    )


def test_attachments_are_counted_and_a_number_is_used_once() -> None:
    given(PLACED).when(attach()).then(attached())
    given(PLACED, attached(1), attached(2), removed(2)).when(attach(3)).then(attached(3))


def test_a_file_is_attached_once() -> None:
    given(PLACED, attached()).when(attach()).refused("already_attached")


def test_an_attachment_is_removed_once() -> None:
    remove = do.RemoveAttachment(order_id=THE, number=1, reason="Wrong order.")
    given(PLACED, attached()).when(remove).then(removed(1))
    given(PLACED, attached(), removed(1)).when(remove).refused(
        "no_such_attachment", "Order 536365 has no attachment 1. Nothing was changed."
    )
    given(PLACED).when(remove).refused("no_such_attachment")


def test_there_are_no_attachments_without_an_order() -> None:
    given().when(attach()).refused("no_such_order")
    given().when(do.RemoveAttachment(order_id=THE, number=1)).refused("no_such_order")


def test_an_order_has_few_attachments_and_room_again_once_one_is_removed() -> None:
    full = [attached(number) for number in range(1, MOST_ATTACHMENTS + 1)]
    one_more = attach(MOST_ATTACHMENTS + 1)
    given(PLACED, *full).when(one_more).refused("too_many_attachments")
    given(PLACED, *full, removed(3)).when(one_more).then(attached(MOST_ATTACHMENTS + 1))


@pytest.mark.parametrize("name", ["", "x" * 201, "a\x00b", "a\nb", "a\u202eb"])
def test_a_file_name_is_one_line(name: str) -> None:
    with pytest.raises(Invalid):
        attach(name=name)
