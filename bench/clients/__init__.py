"""Clients that send commands and request pages, in threads and in processes."""
