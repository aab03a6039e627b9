"""How far along we are: a bar on a terminal, otherwise a line now and then."""

import time
from dataclasses import dataclass, field
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

LINE_EVERY_S = 5.0


@dataclass(slots=True)
class Meter:
    """Counts rows of one activity; a context manager. ``total`` None: it is not known how many there will be."""

    console: Console
    doing: str
    total: int | None = None
    rows: int = 0
    _started: float = field(default_factory=time.monotonic)
    _said: float = field(default_factory=time.monotonic)
    _bar: Progress | None = None
    _task: TaskID | None = None

    def __enter__(self) -> "Meter":
        if self.console.is_terminal:
            rate = TextColumn("{task.fields[rate]:>12}")
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn())
            self._bar = Progress(*columns, console=self.console, transient=True)
            self._task = self._bar.add_task(self.doing, total=self.total, rate="")
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return max(time.monotonic() - self._started, 1e-6)

    def show(self, rows: int) -> None:
        """The count is now ``rows``."""
        self.rows = rows
        rate = f"{rows / self.seconds:,.0f} rows/s"
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=rows, rate=rate)
        elif time.monotonic() - self._said >= LINE_EVERY_S:
            self._said = time.monotonic()
            of = f" of {self.total:,}" if self.total is not None else ""
            self.console.print(f"{self.doing}: {rows:,}{of} rows, {rate}", highlight=False, soft_wrap=True)
