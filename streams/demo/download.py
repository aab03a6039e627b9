"""The first start fetches Kafka: a bar on a terminal, a line now and then elsewhere."""

import threading
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

LINES = 4  # of a whole download, where there is no terminal


class Download:
    """Shows a download while it lasts; call it with the bytes so far and the bytes in all, from any thread."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._said = -1

    def __enter__(self) -> Self:
        """Nothing is shown before the first call."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()

    def __call__(self, so_far: int, total: int) -> None:
        """So much is here."""
        with self._lock:
            if self._console.is_terminal:
                self._draw(so_far, total)
            elif (quarter := LINES * so_far // max(total, 1)) > self._said:
                self._said = quarter
                told = f"fetching Apache Kafka, once: {so_far / 1e6:.0f} of {total / 1e6:.0f} MB"
                self._console.print(told, highlight=False)

    def _draw(self, so_far: int, total: int) -> None:
        if self._progress is None or self._task is None:
            columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
            self._progress = Progress(*columns, console=self._console, transient=True)
            self._task = self._progress.add_task("fetching Apache Kafka, once", total=total)
            self._progress.start()
        self._progress.update(self._task, completed=so_far)
