"""Operators: accounts, roles, passwords, sessions, tokens, and the first sign-in."""
