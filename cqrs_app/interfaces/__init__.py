"""How people and programs reach the console: pages, API and command line."""
