"""The processes of a console, and the supervisor that runs them."""
