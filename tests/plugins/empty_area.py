"""An area with nothing in it."""

from cqrs_app.kernel import Area
from cqrs_app.plugins import Plugin

PLUGIN = Plugin(api=1, package="tests.plugins", area=Area(name="empty"))
