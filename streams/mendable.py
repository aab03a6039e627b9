"""Errors that people can do something about: their message is all that a command shows of them."""


class Mendable(Exception):
    """Mixed into an error whose message says what is wrong and how to mend it; commands show no traceback of it."""
