"""A stranger's tables as events: reading files in pieces, guessing which column is what, checking, sending."""
