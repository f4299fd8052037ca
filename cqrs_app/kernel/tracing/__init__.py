"""Traces: spans of one cause across processes, made from the ids that commands and events carry."""
