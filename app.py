"""The application, for a web server and for `flask`, whose commands do not load its pages."""

import gc

from cqrs_app import create_app
from cqrs_app.interfaces.cli import is_looking_for_a_verb

pages = not is_looking_for_a_verb()
# Loaded modules stay in memory: collecting garbage among them took a fifth of a command's start-up
# time.
gc.disable()
app = create_app(pages=pages)
gc.freeze()
gc.enable()
if pages:
    # Imported here: at the top they would load most of the product with the collector enabled.
    from cqrs_app import logs
    from cqrs_app.services import services_of

    logs.configure(services_of(app).settings)
