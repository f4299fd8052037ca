"""The areas as pages know them; generic pages read what is declared here."""

from __future__ import annotations

from importlib import import_module

from cqrs_app import plugins
from cqrs_app.interfaces.web.areas.alerts import ALERTS
from cqrs_app.interfaces.web.areas.approvals import APPROVALS
from cqrs_app.interfaces.web.areas.area import WebArea
from cqrs_app.interfaces.web.areas.assignments import ASSIGNMENTS
from cqrs_app.interfaces.web.areas.batches import BATCHES
from cqrs_app.interfaces.web.areas.customers import CUSTOMERS
from cqrs_app.interfaces.web.areas.expenses import EXPENSES
from cqrs_app.interfaces.web.areas.failures import FAILURES
from cqrs_app.interfaces.web.areas.fulfilment import FULFILMENT
from cqrs_app.interfaces.web.areas.import_columns import MAPPINGS_AREA
from cqrs_app.interfaces.web.areas.imports import IMPORTS
from cqrs_app.interfaces.web.areas.inventory import INVENTORY
from cqrs_app.interfaces.web.areas.operators import OPERATORS
from cqrs_app.interfaces.web.areas.orders import ORDERS
from cqrs_app.interfaces.web.areas.payments import PAYMENTS
from cqrs_app.interfaces.web.areas.records import RECORDS
from cqrs_app.interfaces.web.areas.scheduled_exports import SCHEDULED_EXPORTS
from cqrs_app.interfaces.web.areas.system import SYSTEM
from cqrs_app.interfaces.web.areas.views import VIEWS
from cqrs_app.interfaces.web.areas.webhooks import WEBHOOKS

AREAS: tuple[WebArea, ...] = (
    *(
        ORDERS,
        ASSIGNMENTS,
        CUSTOMERS,
        INVENTORY,
        PAYMENTS,
        EXPENSES,
        IMPORTS,
        MAPPINGS_AREA,
        SCHEDULED_EXPORTS,
    ),
    *(SYSTEM, WEBHOOKS, FULFILMENT, FAILURES, ALERTS, BATCHES, VIEWS, APPROVALS, OPERATORS),
    *(each.web_area() for each in RECORDS),
    *(import_module(each.web).WEB for each in plugins.installed() if each.web),
)
"""In the order of their signs on the health strip."""

PLACES = {category: place for area in AREAS for category, place in area.places.items()}
SUGGESTIONS = {command: each for area in AREAS for command, each in area.suggestions.items()}
SUMMARIES = {command: each for area in AREAS for command, each in area.summaries.items()}
FORM_FIELDS = {key: each for area in AREAS for key, each in area.form_fields.items()}
LOOKUPS = {name: each for area in AREAS for name, each in area.lookups.items()}
HOME_PANELS = {name: each for area in AREAS for name, each in area.home_panels.items()}
FINDERS = tuple(finder for area in AREAS for finder in area.finders)
"""In the order of the groups of a search's results."""
STARTS = tuple(command for area in AREAS for command in area.starts)
BATCHED = tuple(command for area in AREAS for command in area.batched)
"""What can be done with many things at once, from a list."""
CONFIRMED = {command: each for area in AREAS for command, each in area.confirmed.items()}
REMARKS = {command: each for area in AREAS for command, each in area.remarks.items()}
SEVERAL = {event.__name__: each for area in AREAS for event, each in area.several.items()}
WARNINGS = {event.__name__: each for area in AREAS for event, each in area.warnings.items()}
