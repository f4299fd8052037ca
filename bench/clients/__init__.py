"""Who sends commands and asks for pages: in threads, and in processes of their own."""
