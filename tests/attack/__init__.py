"""`bin/attack`: attacks a console of its own on this machine, and counts what it let through."""
