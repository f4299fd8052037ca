"""An operator's jobs, each done as somebody would who knows the console, by keyboard where that is
shorter."""
