"""`bin/bench --soak MINUTES`: the whole console at work for a long time."""
