"""`bin/bench --soak MINUTES`: the whole console under load for a long time."""
