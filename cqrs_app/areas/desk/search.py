"""Full-text search over orders: whole words, the last one as a prefix, in any order. Text is split
into words here and not by the databases, whose parsers treat hyphens, numbers and accents
differently. Both then index the same words.
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
"""Characters of words kept per order; what exceeds this in an order of a thousand lines is not
found.
"""
_KEPT_FOR_LATER = 2_000
_MOST_WORDS = 12
FEW = 1_000
"""Up to this many matches are sorted rather than searched for along the list."""

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
    """Create the index; `order_texts` must exist. Does nothing if the index exists."""
    on_postgresql = connection.dialect.name == "postgresql"
    for statement in POSTGRESQL_CREATE if on_postgresql else SQLITE_CREATE:
        connection.exec_driver_sql(statement)


def drop_search(connection: Connection) -> None:
    """Drop what create_search created."""
    on_postgresql = connection.dialect.name == "postgresql"
    for statement in POSTGRESQL_DROP if on_postgresql else SQLITE_DROP:
        connection.exec_driver_sql(statement)


@contextmanager
def search_built_last(connection: Connection) -> Iterator[None]:
    """For a block that deletes and inserts all texts. SQLite would record every deleted and
    inserted text in the index, so its index is created after the block. PostgreSQL keeps the index,
    because readers would otherwise wait for the transaction.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    drop_search(connection)
    yield
    create_search(connection)
    connection.exec_driver_sql("INSERT INTO order_search (order_search) VALUES ('rebuild')")


def searchable(words: Iterable[str]) -> str:
    """The words indexed for a new order, shortened so that later words still fit."""
    return _joined(words, LONGEST_TEXT - _KEPT_FOR_LATER)


def with_more(search: str, words: Iterable[str]) -> str:
    """The same with the words of a later event added."""
    return _joined(dict.fromkeys([*search.split(), *words]), LONGEST_TEXT)


def with_last(search: str, words: Sequence[str], kept: Iterable[str]) -> str:
    """The same with these words last, except those that are there for other reasons too."""
    return with_more(without(search, words, kept), words)


def without(search: str, gone: Iterable[str], kept: Iterable[str]) -> str:
    """The same without these words, except those that are there for other reasons too."""
    lost = set(gone) - set(kept)
    return " ".join(word for word in search.split() if word not in lost)


def forget_words(connection: Connection) -> None:
    """Remove words from the index that no text contains any more. SQLite keeps them in older
    segments until those are merged, so all segments are merged here, except of an index that is yet
    to be created.
    """
    if connection.dialect.name == "sqlite" and inspect(connection).has_table("order_search"):
        connection.exec_driver_sql("INSERT INTO order_search (order_search) VALUES ('optimize')")


def matching(written: str, dialect: str) -> ColumnElement[bool]:
    """The condition on `orders` for a text typed by a person; any text is allowed. An empty text
    matches every order, one without a letter or digit matches none.
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
    """The same condition as a list of the few orders it matches; None where it matches many, or
    where a list would not be faster. PostgreSQL assumes that any word is common and would scan the
    list, newest first, until a page is full: for a rare word, all of it.
    """
    wanted = readings(written, _MOST_WORDS)
    if not wanted or connection.dialect.name != "postgresql":
        return
    # Materialized, so that it is planned for all matches and not for the first few; and by the
    # index, because the planner assumes that splitting a text into words costs nothing.
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
