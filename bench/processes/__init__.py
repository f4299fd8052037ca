"""The console's own processes, started as `bin/run` starts them."""
