"""The console's processes, started like `bin/run` starts them."""
