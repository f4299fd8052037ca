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


ADDRESS = ("name", "line1", "line2", "city", "postal_code", "country")
"""The parts of an address."""
READ_FROM: Mapping[str, str] = {
    "order_id": "number",
    "credit_note_id": "number",
    "occurred_at": "at",
    **{f"shipping_address.{part}": f"ship_{part}" for part in ADDRESS},
    **{f"billing_address.{part}": f"bill_{part}" for part in ADDRESS},
}
"""Fields of commands, and of values in them, that have another name in files."""


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
        "ordernumber displayid orderid order orderno invoiceno invoicenumber invoice incrementid "
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
        "quantity lineitemquantity itemquantity qty qtyordered quantityrefund units pieces menge",
        FieldKind.COUNT,
        needed=True,
        fixed=True,
    ),
    _field(
        "unit_price",
        "Unit price",
        "unitprice price lineitemprice itemprice itemcost preis",
        _AMOUNT,
    ),
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
        "lineitemfulfillmentstatus itemstatus fulfillmentstatus",
        _STATUS,
        "Where only some lines shipped.",
    ),
)
_AMOUNTS_OF_ORDER = (
    _field(
        "order_discount",
        "Discount",
        "cartdiscountamount discountamount discounttotal orderdiscount totaldiscount cartdiscount",
        _AMOUNT,
    ),
    _field("discount_code", "Discount code", "discountcode couponcode coupon coupons"),
    _field(
        "shipping",
        "Shipping",
        "shipping shippingtotal shippingamount shippingcost freight ordershipping "
        "ordershippingamount shippingcharge",
        _AMOUNT,
    ),
    _field("shipping_method", "Shipping method", "shippingmethod shippingmethodtitle"),
    _field(
        "tax",
        "Tax",
        "tax taxes taxtotal taxamount ordertax totaltax ordertotaltaxamount vat",
        _AMOUNT,
    ),
    _field("fee", "Fees", "fee fees feetotal feeamount", _AMOUNT),
    _field(
        "total",
        "Total",
        "total ordertotal grandtotal totalamount ordertotalamount",
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
    _field("email", "E-mail", "email billingemail emailbilling customeremail emailaddress"),
    _field(
        "customer_name",
        "Name",
        "customername billingfullname billingname customerfirstname billingfirstname "
        "firstnamebilling client",
    ),
    _field(
        "customer_last_name",
        "Last name, if separate",
        "customerlastname billinglastname lastnamebilling",
    ),
    _field("country", "Country", "country customercountry land", fixed=True),
)


def _address(prefix: str, long: str) -> tuple[TargetField, ...]:
    return (
        _field(
            f"{prefix}_name",
            "Name",
            f"{prefix}name {long}name {long}fullname {long}firstname firstname{long}",
        ),
        _field(f"{prefix}_last_name", "Last name, if separate", f"{long}lastname lastname{long}"),
        _field(
            f"{prefix}_line1",
            "Street",
            f"{prefix}address {long}address1 {long}street {long}addressline1 {long}address "
            f"address1{long} address12{long}",
        ),
        _field(
            f"{prefix}_line2", "Second line", f"{long}address2 {long}addressline2 address2{long}"
        ),
        _field(
            f"{prefix}_postal_code",
            "Postal code",
            f"{prefix}postalcode {long}zip {long}postcode {long}postalcode postcode{long}",
        ),
        _field(f"{prefix}_city", "City", f"{prefix}city {long}city city{long}"),
        _field(
            f"{prefix}_country",
            "Country",
            f"{prefix}country {long}country {long}countrycode countrycode{long} country{long}",
        ),
    )


_PAYMENT = (
    _field("payment_status", "Payment status", "financialstatus paymentstatus", _STATUS, _MEANS),
    _field("paid", "Paid at", "paidat datepaid paiddate paymentdate", _TIME),
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
        "refundedamount refundedtotal totalrefunded refundtotal orderrefund orderrefundamount",
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
_SHARED: Mapping[str, str] = MappingProxyType(
    {"bill_name": "customer_name", "bill_last_name": "customer_last_name"}
)
"""Fields that may have the same column as another one: a customer is often who gets the bill."""
_NOT_A_LETTER = re.compile(r"[^a-z0-9]")
_SHARE = re.compile(r"0|1|0?[.,]\d+|[01][.,]0+|\d{1,3}([.,]\d+)? ?%")


def plain_name(name: str) -> str:
    """A name without case, accents, spaces and signs."""
    return _NOT_A_LETTER.sub("", unicodedata.normalize("NFKD", name.casefold()))


def suggested_columns(
    header: Sequence[str], values: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> dict[str, str]:
    """Field -> the column whose name suggests it. No column is suggested twice, but for the name of
    the customer on the bill, and none whose name is too long for a mapping. `values` are some of
    each column's: they show whether a discount is an amount or a share."""
    usable = (each for each in reversed(header) if 0 < len(each) <= LONGEST_NAME)
    columns = {plain_name(each): each for each in usable}
    found: dict[str, str] = {}
    for each in FIELDS.values():
        used = set(found.values()) - {found.get(_SHARED.get(each.name, ""), "")}
        names = (columns.get(name, "") for name in (plain_name(each.name), *each.names))
        if column := next((name for name in names if name and name not in used), ""):
            found[each.name] = column
    if "unit_price" in found:
        found.pop("line_price", None)
    if "email" in found:
        # Guests have no number, or share one; an address tells them apart as it does customers.
        found.pop("customer_id", None)
    priced = {"discount", "unit_price", "quantity"} <= found.keys()
    if priced and "discount_share" not in found and _are_shares(values.get(found["discount"], ())):
        found["discount_share"] = found.pop("discount")
    return found


def _are_shares(values: Sequence[str]) -> bool:
    """Whether all are fractions of 1, or per cent, and not all of them nothing."""
    shares = [_SHARE.fullmatch(each) for each in values]
    return all(shares) and any(each.strip("0.,%") for each in values)


def suggested_meaning(value: str) -> str:
    """What a value of a status probably means; empty if it says nothing."""
    plain = plain_name(value)
    return next((meaning for meaning, words in _MEANT.items() if plain in words.split()), "")
