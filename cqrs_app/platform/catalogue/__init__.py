"""What the product can do, described from its declarations: for the API, the pages, the shell."""
