"""The application: for a web server, and for `flask`, whose verbs do without its pages."""

import gc

from cqrs_app import create_app
from cqrs_app.interfaces.cli import is_looking_for_a_verb

pages = not is_looking_for_a_verb()
# What is loaded stays: to look through it for garbage was a fifth of a verb's start.
gc.disable()
app = create_app(pages=pages)
gc.freeze()
gc.enable()
if pages:
    # Imported here: before, they would load most of the product.
    from cqrs_app import logs
    from cqrs_app.services import services_of

    logs.configure(services_of(app).settings)
