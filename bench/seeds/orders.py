"""Many orders by SQL: the content of a console on PostgreSQL after as many `PlaceOrder`.

It contains the rows of the order list, their words, their streams and events, and the checkpoint of
the list, but no lines, payments and statistics, which the list does not read, and no payloads. One
order is placed per minute. Each customer has ten on average. Statuses are distributed like in a
shop that keeps up.
"""

from __future__ import annotations

from sqlalchemy import Engine, text

from cqrs_app.kernel.store.engines import reader_of

_ORDERS = """
INSERT INTO orders (row_id, order_id, status, customer_id, customer_name, country, currency, total,
    line_count, units, shipped_units, placed_at, placed_day, updated_at, hold_reason, flags,
    carrier, tracking, ship_name, ship_line1, ship_line2, ship_city, ship_postal_code, ship_country,
    applied_version, applied_position)
SELECT i, 'SO' || i,
    (array['delivered','delivered','delivered','delivered','shipped','delivered','delivered',
           'approved','placed','cancelled'])[1 + mod(i, 10)::int],
    'C' || c, initcap(name),
    (array['France','Germany','Spain','Norway'])[1 + mod(c, 4)::int], 'EUR',
    10000 * (5 + mod(i, 400)), 1, 6, 0, at, (at AT TIME ZONE 'UTC')::date, at, '', 0, '', '',
    initcap(name), '1 Long Lane', '', 'Lyon', '69001', 'France', 1, i
FROM (
    SELECT i, c, 'anna ' || translate(md5(c::text), '0123456789', 'ghijklmnop') AS name,
        now() - make_interval(mins => ({count} - i)::int) AS at
    FROM (SELECT i, mod(i * 7919, greatest({count} / 10, 1)) AS c
          FROM generate_series(1, {count}::bigint) AS i) AS numbered
) AS placed
"""
_TEXTS = """
INSERT INTO order_texts (row_id, order_id, search)
SELECT row_id, order_id, lower(order_id || ' 85123a white hanging heart '
    || customer_id || ' ' || country || ' ' || customer_name) FROM orders
"""
_EVENTS = """
INSERT INTO events (position, stream, version, type, schema, payload, operator, command_id,
    correlation_id, occurred_at, recorded_at, hash)
SELECT row_id, 'order-' || order_id, 1, 'OrderPlaced', 1, '{{}}', 'bench', 'seed-' || row_id,
    'seed-' || row_id, placed_at, placed_at, decode(md5(order_id) || md5(order_id), 'hex')
FROM orders ORDER BY row_id
"""
_STREAMS = """
INSERT INTO streams (stream, version, hash)
SELECT 'order-' || order_id, 1, decode(md5(order_id) || md5(order_id), 'hex') FROM orders
"""
_CHECKPOINT = """
UPDATE checkpoints SET position = {count}, applied = {count} WHERE subscription = 'orders'
"""


def fill(engine: Engine, count: int) -> None:
    """Fill the empty stores of a console whose checkpoints exist."""
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        for statement in (_ORDERS, _TEXTS, _EVENTS, _STREAMS, _CHECKPOINT):
            connection.exec_driver_sql(statement.format(count=count))
    # Autovacuum would do this a minute later.
    with reader_of(engine).connect() as connection:
        for table in ("orders", "order_texts", "events", "streams"):
            connection.execute(text(f"VACUUM ANALYZE {table}"))
