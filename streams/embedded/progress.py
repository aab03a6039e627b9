"""The first download, shown on standard error."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from streams.embedded.jars import OnProgress

TITLE = "fetching Apache Kafka, once"


@contextmanager
def download_bar(console: Console | None = None) -> Iterator[OnProgress]:
    """A bar that appears with the first byte to fetch, and a plain line where there is no terminal."""
    console = console or Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    progress = Progress(*columns, console=console)
    task = progress.add_task(TITLE, visible=False)

    def show(done: int, total: int) -> None:
        if not progress.tasks[task].visible:
            progress.update(task, visible=True)
            if console.is_terminal:
                progress.start()
            else:
                console.print(f"{TITLE} ({total >> 20} MB)")
        progress.update(task, completed=done, total=total)

    try:
        yield show
    finally:
        if console.is_terminal:
            progress.stop()
