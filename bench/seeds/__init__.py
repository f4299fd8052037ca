"""Fills stores before a measurement: by commands, or by SQL if they are big."""
