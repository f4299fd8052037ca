"""The application: for a web server, and for `flask`, whose verbs do without its pages."""

from cqrs_app import create_app, logs
from cqrs_app.interfaces.cli import is_looking_for_a_verb
from cqrs_app.services import services_of

pages = not is_looking_for_a_verb()
app = create_app(pages=pages)
if pages:
    logs.configure(services_of(app).settings)
