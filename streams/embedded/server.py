"""What our servers have in common: how they come up, end, and are treated unkindly."""

from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.embedded.errors import CannotStart
from streams.embedded.process import ServerProcess

PORT_TAKEN = "Address already in use"
TRIES = 3  # with other ports, where somebody took ours


class Server(ABC):
    """A server in a folder of its own; it ends with ``stop`` (or the ``with`` block), or with this process however that
    ends. Its address stays the same after ``restart``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self._process: ServerProcess | None = None

    @abstractmethod
    def launch(self) -> None:
        """Starts it without waiting for its first answer.

        Raises:
            CannotStart: the folder is in use or cannot be written, or the program cannot be run.
        """

    @abstractmethod
    def await_answer(self) -> None:
        """Waits until it answers; tries other ports if somebody took ours.

        Raises:
            CannotStart: it ended, or did not answer in time; the text ends with its log.
        """

    @property
    def process(self) -> ServerProcess:
        """The running server's process: its ``pid``, and ways to be unkind to it."""
        if self._process is None:
            raise CannotStart("the server has not been started")
        return self._process

    def start(self) -> Self:
        """Starts it and waits until it answers.

        Raises:
            CannotStart: as ``launch`` and ``await_answer``.
        """
        try:
            self.launch()
            self.await_answer()
        except BaseException:  # Ctrl-C while it starts, too
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Ends it in order. Harmless if it has ended."""
        if self._process is not None:
            self._process.stop()

    def kill(self) -> None:
        """Ends it as a power cut would."""
        self.process.kill()

    def freeze(self) -> None:
        """Holds it still, connections open."""
        self.process.freeze()

    def thaw(self) -> None:
        """Lets it go on."""
        self.process.thaw()

    def restart(self) -> None:
        """Starts it again at the same address with what it keeps in its folder; ends it first if it runs."""
        self.stop()
        self.launch()
        self.await_answer()

    def __enter__(self) -> Self:
        """The running server."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stops it."""
        self.stop()
