"""Real services for tests: PostgreSQL, Redis, a browser. Each file is a pytest plugin."""
