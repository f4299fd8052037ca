"""Whether the log and the command log are what was written: chains, folds, seals."""
