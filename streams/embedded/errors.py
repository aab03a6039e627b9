"""What can go wrong with servers of our own; every text says how to go on."""

from streams.mendable import Mendable

WAY_OUT = "or use a broker that is already there: --bootstrap HOST:PORT"


class EmbeddedError(Mendable, RuntimeError):
    """A server of our own cannot be had; the text says why, and names the way out."""


class CannotFetch(EmbeddedError):
    """The server's program is not on this machine and cannot be brought here."""


class CannotStart(EmbeddedError):
    """The program is here, but the server did not come up."""


class Stopped(EmbeddedError):
    """The server had ended when it was asked for something."""
