"""Flask-Admin's list of the table `orders` at DATABASE_URL, with its default settings.

It runs in the bench's environment and shows the columns of the console's list.
"""

from __future__ import annotations

import os

from flask import Flask
from flask_admin import Admin
from flask_admin.contrib.sqla import ModelView
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
app.config.update(SECRET_KEY=os.urandom(32), SQLALCHEMY_DATABASE_URI=os.environ["DATABASE_URL"])
db = SQLAlchemy(app)


class Order(db.Model):
    __tablename__ = "orders"
    row_id = db.Column(db.BigInteger, primary_key=True)
    order_id = db.Column(db.String(60))
    status = db.Column(db.String(20))
    customer_name = db.Column(db.String(200))
    country = db.Column(db.String(60))
    currency = db.Column(db.String(3))
    total = db.Column(db.BigInteger)
    line_count = db.Column(db.Integer)
    placed_at = db.Column(db.DateTime(timezone=True))
    updated_at = db.Column(db.DateTime(timezone=True))


class Orders(ModelView):
    column_list = (
        *("order_id", "status", "customer_name", "country", "line_count", "total", "placed_at"),
        "updated_at",
    )
    column_default_sort = ("placed_at", True)
    page_size = 25


Admin(app, name="Orders").add_view(Orders(Order, db, endpoint="order"))
