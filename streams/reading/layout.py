"""The few shapes that everything printed is made of."""

from collections.abc import Iterable
from io import StringIO

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from streams.reading.words import harmless


def words(text: str, style: str = "") -> Text:
    """A text of whatever origin, never read as markup."""
    return Text(harmless(text), style=style)


def section(heading: str, *body: RenderableType) -> RenderableType:
    """A heading and an indented body, with an empty line before."""
    return Group(Text(""), Text(heading, style="bold cyan"), Padding(Group(*body), (0, 0, 0, 2)))


def columns(rows: Iterable[tuple[RenderableType, ...]], *, ratio: int | None = None) -> Table:
    """Rows in aligned columns without lines; the column ``ratio`` takes what is left of the width."""
    rows = list(rows)
    table = Table.grid(padding=(0, 2, 0, 0))
    for i in range(max((len(row) for row in rows), default=0)):
        table.add_column(overflow="fold", ratio=1 if i == ratio else None)
    if ratio is not None:
        table.expand = True
    for row in rows:
        table.add_row(*row)
    return table


def numbered(texts: Iterable[str]) -> RenderableType:
    """Sentences with numbers, continued under their first word."""
    return columns([(Text(f"{i}."), words(text)) for i, text in enumerate(texts, 1)], ratio=1)


def bullets(texts: Iterable[str], style: str = "") -> RenderableType:
    """Sentences with a dot before each, continued under their first word."""
    return columns([(Text("·", style="dim"), words(text, style)) for text in texts], ratio=1)


def as_text(renderable: RenderableType, width: int = 80) -> str:
    """Something to be printed as plain text: no colours, no trailing spaces."""
    console = Console(file=StringIO(), width=width, color_system=None, force_terminal=False, legacy_windows=False)
    with console.capture() as capture:
        console.print(renderable)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"
