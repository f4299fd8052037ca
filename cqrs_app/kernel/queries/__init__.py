"""Questions and their answers: the query bus, its cache, freshness and paging."""
