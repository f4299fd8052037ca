"""What the columns of a file can be mapped to, and which names of columns suggest it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

LONGEST_NAME = 200
"""Characters of the name of a column, and of other texts of a mapping."""


class FieldKind(StrEnum):
    """How the text of a field is read."""

    TEXT = "text"
    COUNT = "count"
    AMOUNT = "amount"
    TIME = "time"
    STATUS = "status"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetField:
    """`names` are those of columns, as `plain_name` has them. `fixed`: instead of a column, it may
    have the same value in every row. `help` is a sentence for people."""

    name: str
    label: str
    kind: FieldKind = FieldKind.TEXT
    needed: bool = False
    fixed: bool = False
    help: str = ""
    names: tuple[str, ...] = ()


def _field(
    name: str,
    label: str,
    names: str = "",
    kind: FieldKind = FieldKind.TEXT,
    about: str = "",
    *,
    needed: bool = False,
    fixed: bool = False,
) -> TargetField:
    return TargetField(
        name=name,
        label=label,
        kind=kind,
        needed=needed,
        fixed=fixed,
        help=about,
        names=tuple(names.split()),
    )


_AMOUNT, _TIME, _STATUS = FieldKind.AMOUNT, FieldKind.TIME, FieldKind.STATUS
_MEANS = "What each value means is chosen below."

_ORDER = (
    _field(
        "number",
        "Order number",
        "ordernumber orderid order orderno invoiceno invoicenumber invoice incrementid displayid "
        "bestellnummer name",
        about="Rows with the same number are one order.",
        needed=True,
    ),
    _field(
        "at",
        "Date of the order",
        "orderdate createdat date placedat purchasedate invoicedate orderedat purchasedon "
        "datecreated created bestelldatum",
        _TIME,
        needed=True,
    ),
    _field(
        "currency",
        "Currency",
        "currency currencycode ordercurrency ordercurrencycode",
        needed=True,
        fixed=True,
    ),
    _field("status", "Status", "status orderstatus state", _STATUS, _MEANS),
    _field("note", "Note", "note notes customernote comment comments"),
    _field("tags", "Tags", "tags", about="Separated by commas."),
    _field("external_number", "Number in the other system", about="Kept as a note."),
)
_LINE = (
    _field(
        "sku",
        "SKU",
        "sku lineitemsku itemsku stockcode productid productsku articlenumber article variantsku "
        "artikelnummer",
        about="Where it is empty, it is made from the description.",
        fixed=True,
    ),
    _field(
        "description",
        "Description",
        "description lineitemname itemname productname product item title name artikel",
        fixed=True,
    ),
    _field(
        "quantity",
        "Quantity",
        "quantity lineitemquantity itemquantity qty qtyordered units pieces menge",
        FieldKind.COUNT,
        needed=True,
        fixed=True,
    ),
    _field("unit_price", "Unit price", "unitprice price lineitemprice itemprice preis", _AMOUNT),
    _field(
        "line_price",
        "Price of the line",
        "itemsubtotal linesubtotal rowsubtotal",
        _AMOUNT,
        "Of all its units, before discounts. Used where there is no unit price.",
    ),
    _field(
        "discount", "Discount of the line", "linediscount lineitemdiscount itemdiscount", _AMOUNT
    ),
    _field(
        "discount_share",
        "Discount of the line, as a share",
        "discountshare discountpercent discountrate",
        _AMOUNT,
        "Such as 0.15 or 15%.",
    ),
    _field(
        "line_status",
        "Status of the line",
        "lineitemfulfillmentstatus itemstatus",
        _STATUS,
        "Where only some lines shipped.",
    ),
)
_AMOUNTS_OF_ORDER = (
    _field(
        "order_discount",
        "Discount",
        "discountamount discounttotal orderdiscount totaldiscount cartdiscount",
        _AMOUNT,
    ),
    _field("discount_code", "Discount code", "discountcode couponcode coupon coupons"),
    _field(
        "shipping",
        "Shipping",
        "shipping shippingtotal shippingamount shippingcost freight ordershipping shippingcharge",
        _AMOUNT,
    ),
    _field("shipping_method", "Shipping method", "shippingmethod shippingmethodtitle"),
    _field("tax", "Tax", "tax taxes taxtotal taxamount ordertax totaltax vat", _AMOUNT),
    _field("fee", "Fees", "fee fees feetotal feeamount", _AMOUNT),
    _field(
        "total",
        "Total",
        "total ordertotal grandtotal totalamount",
        _AMOUNT,
        "Checked against the lines. It shows whether prices include the tax.",
    ),
)
_CUSTOMER = (
    _field(
        "customer_id",
        "Customer number",
        "customerid customernumber customerno buyer kundennummer",
        about="Or the e-mail address, where it is what identifies a customer.",
    ),
    _field("email", "E-mail", "email billingemail customeremail emailaddress"),
    _field(
        "customer_name", "Name", "customername billingfullname billingname customerfirstname client"
    ),
    _field("customer_last_name", "Last name, if separate", "customerlastname"),
    _field("country", "Country", "country customercountry land", fixed=True),
)


def _address(prefix: str, long: str) -> tuple[TargetField, ...]:
    return (
        _field(f"{prefix}_name", "Name", f"{prefix}name {long}name {long}fullname {long}firstname"),
        _field(f"{prefix}_last_name", "Last name, if separate", f"{long}lastname"),
        _field(
            f"{prefix}_line1",
            "Street",
            f"{prefix}address {long}address1 {long}street {long}addressline1 {long}address",
        ),
        _field(f"{prefix}_line2", "Second line", f"{long}address2 {long}addressline2"),
        _field(
            f"{prefix}_postal_code",
            "Postal code",
            f"{prefix}postalcode {long}zip {long}postcode {long}postalcode",
        ),
        _field(f"{prefix}_city", "City", f"{prefix}city {long}city"),
        _field(f"{prefix}_country", "Country", f"{prefix}country {long}country {long}countrycode"),
    )


_PAYMENT = (
    _field("payment_status", "Payment status", "financialstatus paymentstatus", _STATUS, _MEANS),
    _field("paid", "Paid at", "paidat datepaid paymentdate", _TIME),
    _field(
        "paid_amount",
        "Amount paid",
        "paidamount amountpaid totalpaid",
        _AMOUNT,
        "Without it, the total of the order.",
    ),
    _field("payment_method", "Paid with", "paymentmethod paymentmethodtitle gateway", fixed=True),
    _field("payment_reference", "Payment reference", "paymentreference transactionid paymentid"),
    _field(
        "refunded",
        "Amount refunded",
        "refundedamount refundedtotal totalrefunded refundtotal orderrefund",
        _AMOUNT,
    ),
    _field("refunded_at", "Refunded at", "refundedat refunddate", _TIME),
)
_LATER = (
    _field("approved", "Approved at", "approvedat", _TIME),
    _field(
        "shipped",
        "Shipped at",
        "shippedat shippeddate fulfilledat sent senton shipdate dispatched",
        _TIME,
    ),
    _field("delivered", "Delivered at", "deliveredat delivereddate deliverydate", _TIME),
    _field("rejected", "Rejected at", "rejectedat", _TIME),
    _field("cancelled", "Cancelled at", "cancelledat canceledat cancelledon", _TIME),
    _field("carrier", "Carrier", "carrier shippername shippingcarrier", fixed=True),
    _field("tracking", "Tracking number", "trackingnumber tracking trackingcode"),
)

GROUPS: Mapping[str, tuple[TargetField, ...]] = MappingProxyType(
    {
        "Order": _ORDER,
        "Lines": _LINE,
        "Amounts of the order": _AMOUNTS_OF_ORDER,
        "Customer": _CUSTOMER,
        "Shipping address": _address("ship", "shipping"),
        "Billing address": _address("bill", "billing"),
        "Payment": _PAYMENT,
        "What happened later": _LATER,
    }
)
"""Heading -> the fields below it."""
FIELDS: Mapping[str, TargetField] = MappingProxyType(
    {each.name: each for group in GROUPS.values() for each in group}
)
AMOUNTS = frozenset(each.name for each in FIELDS.values() if each.kind is FieldKind.AMOUNT)
TIMES = frozenset(each.name for each in FIELDS.values() if each.kind is FieldKind.TIME)
STATUSES = tuple(each.name for each in FIELDS.values() if each.kind is FieldKind.STATUS)

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "": "Nothing",
        "approved": "Approved",
        "shipped": "Shipped",
        "paid_shipped": "Paid and shipped",
        "delivered": "Delivered",
        "rejected": "Rejected",
        "cancelled": "Cancelled",
        "paid": "Paid",
        "left_out": "Leave the order out",
    }
)
"""What a value of a status can mean, and its label."""

PAID = frozenset({"paid", "paid_shipped"})
SHIPPED = frozenset({"shipped", "paid_shipped", "delivered"})
"""Meanings with which an order is paid, and a line has left."""

_MEANT: Mapping[str, str] = MappingProxyType(
    {
        "shipped": "shipped fulfilled sent dispatched",
        "paid_shipped": "complete completed",
        "delivered": "delivered",
        "rejected": "rejected failed fraud denied",
        "cancelled": "cancelled canceled voided",
        "paid": "paid processing captured partiallyrefunded refunded partiallypaid",
        "left_out": "draft checkoutdraft trash",
    }
)
_NOT_A_LETTER = re.compile(r"[^a-z0-9]")


def plain_name(name: str) -> str:
    """A name without case, accents, spaces and signs."""
    return _NOT_A_LETTER.sub("", unicodedata.normalize("NFKD", name.casefold()))


def suggested_columns(header: Sequence[str]) -> dict[str, str]:
    """Field -> the column whose name suggests it. No column is suggested twice, and none whose name
    is too long for a mapping."""
    usable = (each for each in reversed(header) if 0 < len(each) <= LONGEST_NAME)
    columns = {plain_name(each): each for each in usable}
    found: dict[str, str] = {}
    for each in FIELDS.values():
        used = set(found.values())
        names = (columns.get(name, "") for name in (plain_name(each.name), *each.names))
        if column := next((name for name in names if name and name not in used), ""):
            found[each.name] = column
    if "unit_price" in found:
        found.pop("line_price", None)
    return found


def suggested_meaning(value: str) -> str:
    """What a value of a status probably means; empty if it says nothing."""
    plain = plain_name(value)
    return next((meaning for meaning, words in _MEANT.items() if plain in words.split()), "")
