"""Bulk history into the console, through the command bus."""
