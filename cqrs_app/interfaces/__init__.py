"""How people and programs use the console: pages, API and command line."""
