"""Stores filled before something is measured: by commands, or in SQL where they are big."""
