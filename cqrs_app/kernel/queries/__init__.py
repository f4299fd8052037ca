"""Queries: the query bus, its cache, freshness and paging."""
