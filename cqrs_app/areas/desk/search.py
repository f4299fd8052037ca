"""Full-text search over orders: whole words, the last one as a beginning, in any order.

Text is cut into words here, not by the databases: whose parsers each have ideas of their own
about hyphens, numbers and accents. Both then index the very same words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    any_,
    false,
    inspect,
    literal,
    literal_column,
    select,
    text,
    true,
)

from cqrs_app.areas.desk.read_models import order_texts, orders
from cqrs_app.kernel import readings

LONGEST_TEXT = 20_000
"""Characters kept per order; what comes last in an order of a thousand lines is not found."""
_KEPT_FOR_LATER = 2_000
_MOST_WORDS = 12
FEW = 1_000
"""A page of so many orders is sorted faster than the list is gone through for it."""

POSTGRESQL_CREATE = (
    """
    CREATE INDEX IF NOT EXISTS ix_order_texts_search ON order_texts
    USING gin (array_to_tsvector(string_to_array(search, ' ')))
    """,
)
POSTGRESQL_DROP = ("DROP INDEX IF EXISTS ix_order_texts_search",)

# The ascii tokenizer splits at the spaces between our words and nowhere else.
SQLITE_CREATE = (
    """
    CREATE VIRTUAL TABLE IF NOT EXISTS order_search USING fts5(
        search, content='order_texts', content_rowid='row_id', tokenize='ascii', detail='none'
    )
    """,
    """
    CREATE TRIGGER IF NOT EXISTS order_search_insert AFTER INSERT ON order_texts BEGIN
        INSERT INTO order_search (rowid, search) VALUES (new.row_id, new.search);
    END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS order_search_delete AFTER DELETE ON order_texts BEGIN
        INSERT INTO order_search (order_search, rowid, search)
        VALUES ('delete', old.row_id, old.search);
    END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS order_search_update
    AFTER UPDATE OF row_id, search ON order_texts
    WHEN old.search <> new.search OR old.row_id <> new.row_id BEGIN
        INSERT INTO order_search (order_search, rowid, search)
        VALUES ('delete', old.row_id, old.search);
        INSERT INTO order_search (rowid, search) VALUES (new.row_id, new.search);
    END
    """,
)
SQLITE_DROP = (
    "DROP TRIGGER IF EXISTS order_search_insert",
    "DROP TRIGGER IF EXISTS order_search_delete",
    "DROP TRIGGER IF EXISTS order_search_update",
    "DROP TABLE IF EXISTS order_search",
)


def create_search(connection: Connection) -> None:
    """Make the index; `order_texts` must exist. Does nothing where it is there already."""
    on_postgresql = connection.dialect.name == "postgresql"
    for statement in POSTGRESQL_CREATE if on_postgresql else SQLITE_CREATE:
        connection.exec_driver_sql(statement)


def drop_search(connection: Connection) -> None:
    """Remove what create_search made."""
    on_postgresql = connection.dialect.name == "postgresql"
    for statement in POSTGRESQL_DROP if on_postgresql else SQLITE_DROP:
        connection.exec_driver_sql(statement)


@contextmanager
def search_built_last(connection: Connection) -> Iterator[None]:
    """While all texts are deleted and made again. SQLite would write down in the index each one
    that goes and merge it with each that comes: there the index is made when all are there.
    PostgreSQL keeps it, or readers would have to wait until the transaction ends."""
    if connection.dialect.name != "sqlite":
        yield
        return
    drop_search(connection)
    yield
    create_search(connection)
    connection.exec_driver_sql("INSERT INTO order_search (order_search) VALUES ('rebuild')")


def searchable(words: Iterable[str]) -> str:
    """What is indexed of a new order: its words, cut so that later ones still find room."""
    return _joined(words, LONGEST_TEXT - _KEPT_FOR_LATER)


def with_more(search: str, words: Iterable[str]) -> str:
    """The same with the words of a later event."""
    return _joined(dict.fromkeys([*search.split(), *words]), LONGEST_TEXT)


def with_last(search: str, words: Sequence[str], kept: Iterable[str]) -> str:
    """The same with these words at its end, except where they are there for other reasons."""
    return with_more(without(search, words, kept), words)


def without(search: str, gone: Iterable[str], kept: Iterable[str]) -> str:
    """The same without some words, but for those that are there for other reasons too."""
    lost = set(gone) - set(kept)
    return " ".join(word for word in search.split() if word not in lost)


def forget_words(connection: Connection) -> None:
    """Let the index forget words that no text has any more. SQLite keeps them in older parts of
    it until those are merged: so all are, but for an index that is yet to be made."""
    if connection.dialect.name == "sqlite" and inspect(connection).has_table("order_search"):
        connection.exec_driver_sql("INSERT INTO order_search (order_search) VALUES ('optimize')")


def matching(written: str, dialect: str) -> ColumnElement[bool]:
    """The condition on `orders` for what somebody typed: anything at all is allowed.

    Nothing typed matches every order; something without a letter or digit matches none.
    """
    if not written.strip():
        return true()
    wanted = readings(written, _MOST_WORDS)
    if not wanted:
        return false()
    if dialect == "postgresql":
        found = _on_postgresql(wanted)
    else:
        terms = " OR ".join(
            "(" + " AND ".join(f'"{word}"' for word in words) + " *)" for words in wanted
        )
        found = (
            select(literal_column("rowid"))
            .select_from(text("order_search"))
            .where(text("order_search MATCH :terms").bindparams(terms=terms))
        )
    return orders.c.row_id.in_(found)


def few(written: str, connection: Connection) -> Iterator[ColumnElement[bool]]:
    """The same condition once more, as the few orders it holds for; nothing where it holds for
    many, or where there is nothing to gain.

    PostgreSQL takes any word for a common one and would go through the list, newest first, until
    a page is full: for a rare word through all of it.
    """
    wanted = readings(written, _MOST_WORDS)
    if not wanted or connection.dialect.name != "postgresql":
        return
    # Materialized: planned for all that match, not for the first few; and by the index, for it
    # takes cutting texts into words to cost nothing.
    matches = _on_postgresql(wanted).cte("matches").prefix_with("MATERIALIZED")
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    found = connection.execute(select(matches.c.row_id).limit(FEW + 1)).scalars().all()
    connection.exec_driver_sql("SET LOCAL enable_seqscan TO DEFAULT")
    if len(found) <= FEW:
        yield orders.c.row_id == any_(literal(found, ARRAY(BigInteger)))


def _on_postgresql(wanted: list[list[str]]) -> Select[tuple[int]]:
    terms = " | ".join("(" + " & ".join(f"'{word}'" for word in words) + ":*)" for words in wanted)
    return select(order_texts.c.row_id).where(
        text(
            "array_to_tsvector(string_to_array(order_texts.search, ' ')) @@ CAST(:terms AS tsquery)"
        ).bindparams(terms=terms)
    )


def _joined(found: Iterable[str], most: int) -> str:
    kept, length = [], -1
    for word in found:
        length += len(word) + 1
        if length > most:
            break
        kept.append(word)
    return " ".join(kept)
