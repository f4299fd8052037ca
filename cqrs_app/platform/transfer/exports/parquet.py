"""Writes rows as Parquet, for analysis. The library is an extra: `requirements-parquet.txt`.

Numbers, times (UTC) and truth values keep their types, money is exact, and all else is text, which
for composite values is JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from tempfile import TemporaryFile
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from cqrs_app.platform.transfer.exports.rows import Columns, Rows, values_of

PARQUET = "application/vnd.apache.parquet"
DIGITS, PLACES = 38, 12
"""Of a decimal number. Money has four places."""
_FINEST = Decimal(1).scaleb(-PLACES)
_KINDS = (bool, int, float, Decimal, datetime, date)
_PIECE = 64 * 1024


def write_parquet(
    columns: Columns, portions: Iterable[Rows], locale: str = "en_GB"
) -> Iterator[bytes]:
    """The file, once all rows were read: its table of contents is at its end."""
    # Imported here: the library may not be installed.
    import pyarrow as pa
    from pyarrow import parquet

    kinds = {name: _kind(hint) for name, hint in columns.items()}
    types = {
        str: pa.string(),
        bool: pa.bool_(),
        int: pa.int64(),
        float: pa.float64(),
        Decimal: pa.decimal128(DIGITS, PLACES),
        datetime: pa.timestamp("us", tz="UTC"),
        date: pa.date32(),
    }
    schema = pa.schema([pa.field(name, types[kind]) for name, kind in kinds.items()])
    with TemporaryFile() as file:
        with parquet.ParquetWriter(file, schema) as writer:
            for rows in portions:
                values = [
                    [_plain(value, kind) for value in column]
                    for column, kind in zip(
                        zip(*values_of(columns, rows), strict=True), kinds.values(), strict=False
                    )
                ] or [[] for _ in kinds]
                arrays = [
                    pa.array(column, field.type)
                    for column, field in zip(values, schema, strict=True)
                ]
                writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
        file.seek(0)
        yield from iter(lambda: file.read(_PIECE), b"")


def _kind(hint: Any) -> type:
    """The type of a column; text unless all its values have one of the others."""
    origin = get_origin(hint)
    if origin is Annotated:
        return _kind(get_args(hint)[0])
    if origin in (Union, UnionType):
        kinds = {_kind(each) for each in get_args(hint) if each is not NoneType}
        return kinds.pop() if len(kinds) == 1 else str
    return hint if hint in _KINDS else str


def _plain(value: Any, kind: type) -> Any:
    if value is None:
        return None
    if isinstance(value, Enum):
        value = value.value
    if kind is Decimal and value.as_tuple().exponent < -PLACES:
        return value.quantize(_FINEST)
    if kind is datetime:
        return value.astimezone(UTC)
    if kind is str and not isinstance(value, str):
        return msgspec.json.encode(value).decode()
    return value
