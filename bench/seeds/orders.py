"""Many orders by SQL: the content of a console on PostgreSQL after as many `PlaceOrder`.

It contains the rows of the order list, their words, the figures of Home, their streams and events,
but no lines, payments and statistics, which these pages do not read; the events say as little as
a command on such an order needs. Every subscription has passed them, so that orders placed
afterwards are handled as usual. One order is placed per minute. Each customer has ten on average.
Stages are distributed like in a shop that keeps up.
"""

from __future__ import annotations

from sqlalchemy import Engine, text

from cqrs_app.kernel.store.engines import reader_of

_ORDERS = """
INSERT INTO orders (row_id, order_id, status, stage, stage_since, customer_id, customer_name,
    country, currency, total, line_count, units, shipped_units, placed_at, placed_day, updated_at,
    hold_reason, flags,
    carrier, tracking, ship_name, ship_line1, ship_line2, ship_city, ship_postal_code, ship_country,
    applied_version, applied_position)
SELECT i, 'SO' || i,
    (array['delivered','delivered','delivered','delivered','shipped','delivered','delivered',
           'approved','placed','cancelled'])[1 + mod(i, 10)::int],
    (array['delivered','delivered','delivered','delivered','shipped','delivered','delivered',
           'ready_to_ship','needs_approval','cancelled'])[1 + mod(i, 10)::int], at,
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
SELECT row_id, 'order-' || order_id, 1, 'OrderPlaced', 3,
    '{{"order_id":"' || order_id || '","customer_id":"","customer_name":"","country":"France",'
        '"shipping_address":{{}},"currency":"EUR","lines":[],"total":"12.00"}}',
    'bench', 'seed-' || row_id, 'seed-' || row_id, placed_at, placed_at,
    decode(md5(order_id) || md5(order_id), 'hex')
FROM orders ORDER BY row_id
"""
_STREAMS = """
INSERT INTO streams (stream, version, hash)
SELECT 'order-' || order_id, 1, decode(md5(order_id) || md5(order_id), 'hex') FROM orders
"""
_DAYS = """
INSERT INTO order_days (day, currency, status, stage, orders, value)
SELECT placed_day, currency, status, stage, count(*), sum(total) FROM orders GROUP BY 1, 2, 3, 4
"""
_ACTIVITY = """
INSERT INTO order_activity (day, what, currency, count, value)
SELECT placed_day, what, currency, count(*), sum(total)
FROM orders CROSS JOIN (VALUES ('placed'), ('approved')) AS done (what) GROUP BY 1, 2, 3
"""
_SALES = """
INSERT INTO sales_days (day, country, currency, orders, revenue, cancelled_orders, cancelled_value,
    credit_notes, credited)
SELECT placed_day, country, currency, count(*), sum(total), 0, 0, 0, 0 FROM orders GROUP BY 1, 2, 3
"""
_CURSORS = (
    "UPDATE checkpoints SET position = {count}, applied = {count}",
    "UPDATE subscription_cursors SET position = {count}, applied = {count}",
)
_STATEMENTS = (_ORDERS, _TEXTS, _EVENTS, _STREAMS, _DAYS, _ACTIVITY, _SALES, *_CURSORS)


def fill(engine: Engine, count: int) -> None:
    """Fill the empty stores of a console whose checkpoints exist."""
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        for statement in _STATEMENTS:
            connection.exec_driver_sql(statement.format(count=count))
    # Autovacuum would do this a minute later.
    with reader_of(engine).connect() as connection:
        for table in ("orders", "order_texts", "events", "streams"):
            connection.execute(text(f"VACUUM ANALYZE {table}"))
