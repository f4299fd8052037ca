"""Imports historical data in bulk, through the command bus."""
