"""Who may work here: operators, their roles and passwords, their sessions, and first sign-in."""
