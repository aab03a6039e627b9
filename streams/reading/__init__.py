"""Alerts and traces as people read them, on a terminal or as plain text."""
