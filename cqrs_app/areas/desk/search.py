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
    Table,
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

SEARCH = "order_search"
_TEXTS = order_texts.name


def create_search(connection: Connection, suffix: str = "") -> None:
    """Make the index of the texts in `order_texts`, which must exist. Does nothing where it is
    there already. `suffix` ends the names of both tables."""
    texts = f"{_TEXTS}{suffix}"
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            f"CREATE INDEX IF NOT EXISTS ix_{_TEXTS}_search{suffix} ON {texts}"
            " USING gin (array_to_tsvector(string_to_array(search, ' ')))"
        )
    elif not inspect(connection).has_table(f"{SEARCH}{suffix}"):
        # The ascii tokenizer splits at the spaces between our words and nowhere else. The index
        # keeps no text, so that it can be renamed together with the table of the texts.
        connection.exec_driver_sql(
            f"CREATE VIRTUAL TABLE {SEARCH}{suffix} USING"
            " fts5(search, content='', tokenize='ascii', detail='none')"
        )
        connection.exec_driver_sql(
            f"INSERT INTO {SEARCH}{suffix} (rowid, search) SELECT row_id, search FROM {texts}"  # noqa: S608
        )
        _create_triggers(connection, suffix)


def drop_search(connection: Connection, suffix: str = "") -> None:
    """Remove what create_search made."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"DROP INDEX IF EXISTS ix_{_TEXTS}_search{suffix}")
    else:
        _drop_triggers(connection, suffix)
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {SEARCH}{suffix}")


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


@contextmanager
def search_exchanged(connection: Connection, suffix: str) -> Iterator[None]:
    """Exchange the index with that of the table whose name ends with `suffix`, while the two tables
    are exchanged. On PostgreSQL an index goes with its table."""
    if connection.dialect.name != "sqlite":
        yield
        return
    _drop_triggers(connection)
    _drop_triggers(connection, suffix)
    yield
    for old, new in ((SEARCH, "swapped"), (f"{SEARCH}{suffix}", SEARCH)):
        connection.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")
    connection.exec_driver_sql(f"ALTER TABLE swapped RENAME TO {SEARCH}{suffix}")
    _create_triggers(connection)
    _create_triggers(connection, suffix)


def _create_triggers(connection: Connection, suffix: str = "") -> None:
    search, texts = f"{SEARCH}{suffix}", f"{_TEXTS}{suffix}"
    new = f"INSERT INTO {search} (rowid, search) VALUES (new.row_id, new.search);"  # noqa: S608
    old = (
        f"INSERT INTO {search} ({search}, rowid, search)"  # noqa: S608
        " VALUES ('delete', old.row_id, old.search);"
    )
    changed = "WHEN old.search <> new.search OR old.row_id <> new.row_id"
    for name, when, body in (
        ("insert", f"INSERT ON {texts}", new),
        ("delete", f"DELETE ON {texts}", old),
        ("update", f"UPDATE OF row_id, search ON {texts} {changed}", f"{old} {new}"),
    ):
        connection.exec_driver_sql(
            f"CREATE TRIGGER {SEARCH}_{name}{suffix} AFTER {when} BEGIN {body} END"
        )


def _drop_triggers(connection: Connection, suffix: str = "") -> None:
    for name in ("insert", "delete", "update"):
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {SEARCH}_{name}{suffix}")


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


def forget_words(connection: Connection, texts: Table) -> None:
    """Let the index of a table of texts forget words that no text has any more. SQLite keeps them
    in older parts of it until those are merged: so all are, but for an index that is yet to be
    made."""
    search = f"{SEARCH}{texts.name.removeprefix(_TEXTS)}"
    if connection.dialect.name == "sqlite" and inspect(connection).has_table(search):
        connection.exec_driver_sql(f"INSERT INTO {search} ({search}) VALUES ('optimize')")  # noqa: S608


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
            .select_from(text(SEARCH))
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
