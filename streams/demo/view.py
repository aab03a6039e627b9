"""How the demo looks: a live table on a terminal, plain lines elsewhere."""

import time
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from detectors.finding import Finding
from streams.demo.board import Board, Subject
from streams.demo.feeding import Feed

BAR_CELLS = 12
FULL_BAR_NATS = 48.0
WORTH_A_LOOK_NATS = 8.0
LINE_EVERY_TICKS = 20
MOST_FINDINGS_SHOWN = 12


class Screen(Protocol):
    """Where the demo shows itself. A context manager."""

    def __enter__(self) -> "Screen":
        """Begin."""
        ...

    def __exit__(self, *_: object) -> None:
        """End; what was said stays."""
        ...

    def say(self, text: str) -> None:
        """A line that stays; console markup."""
        ...

    def show(self, board: Board, feed: Feed) -> None:
        """How things stand."""
        ...


def screen_for(console: Console) -> Screen:
    """The screen that fits a console."""
    return LiveScreen(console) if console.is_terminal else PlainScreen(console)


class Told:
    """Findings as lines, the first few of them: a fault far upstream has dozens of symptoms."""

    def __init__(self) -> None:
        self._told = 0

    def lines(self, findings: list[Finding]) -> list[str]:
        """What to say of new findings."""
        room = max(0, MOST_FINDINGS_SHOWN - self._told)
        self._told += len(findings)
        lines = [
            f"  [yellow]finding[/] {escape(_name(finding))}: {escape(finding.sentence)}" for finding in findings[:room]
        ]
        return [*lines, "  [yellow]finding[/] … and more"] if room and len(findings) >= room else lines


def _name(finding: Finding) -> str:
    subject = finding.subject.rpartition("/")[2]
    return f"{subject}.{finding.column}" if finding.column else subject


class PlainScreen:
    """Lines as things happen."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told = Told()
        self._next_line = LINE_EVERY_TICKS

    def __enter__(self) -> "PlainScreen":
        return self

    def __exit__(self, *_: object) -> None:
        return

    def say(self, text: str) -> None:
        """A line that stays; console markup."""
        self._console.print(text, highlight=False, soft_wrap=True)

    def show(self, board: Board, feed: Feed) -> None:
        """New findings, and now and then how much has flowed."""
        for line in self._told.lines(board.take_fresh()):
            self.say(line)
        if board.seen_everywhere >= self._next_line:
            self._next_line += LINE_EVERY_TICKS
            self.say(f"  {board.seen_everywhere} batches of every dataset judged, {feed.rows:,} rows sent")


class LiveScreen:
    """A table that redraws itself below the lines that stay."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told = Told()
        self._live = Live(console=console, refresh_per_second=8, transient=True)
        self._drawn_at = 0.0

    def __enter__(self) -> "LiveScreen":
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def say(self, text: str) -> None:
        """A line that stays; console markup."""
        self._console.print(text, highlight=False)

    def show(self, board: Board, feed: Feed) -> None:
        """The table of datasets and models, and new findings above it."""
        for line in self._told.lines(board.take_fresh()):
            self.say(line)
        if (now := time.monotonic()) - self._drawn_at > 0.1:
            self._drawn_at = now
            self._live.update(Group(_table(board), _footer(board, feed)))


def _table(board: Board) -> Table:
    table = Table(title=f"pipeline {board.pipeline}", title_justify="left", box=None, pad_edge=False)
    table.add_column("dataset or model", min_width=16, no_wrap=True)
    table.add_column("batches", justify="right", min_width=7, no_wrap=True)
    table.add_column("rows", justify="right", min_width=7, no_wrap=True)
    table.add_column("evidence of a change", width=BAR_CELLS + 10, no_wrap=True)
    table.add_column("most suspicious", no_wrap=True)
    for subject in board.subjects.values():
        table.add_row(
            Text(subject.name, style="bold red" if subject.findings else ""),
            f"{subject.batches:,}",
            f"{subject.rows:,}",
            _bar(subject),
            _suspicion(subject),
        )
    return table


def _bar(subject: Subject) -> Text:
    if subject.warming_up:
        return Text("learning the normal", style="dim")
    filled = round(BAR_CELLS * min(subject.evidence / FULL_BAR_NATS, 1.0))
    style = "red" if subject.findings else "yellow" if subject.evidence > WORTH_A_LOOK_NATS else "green"
    amount = "certain" if subject.evidence == float("inf") else f"{subject.evidence:.0f} nats"
    return Text.assemble(("█" * filled, style), ("·" * (BAR_CELLS - filled), "dim"), f" {amount}")


def _suspicion(subject: Subject) -> Text:
    if subject.findings:
        return Text(subject.suspicious, style="red")
    return Text(
        subject.suspicious if subject.evidence > WORTH_A_LOOK_NATS and not subject.warming_up else "", style="dim"
    )


def _footer(board: Board, feed: Feed) -> Text:
    alert = board.alert
    sent = f"{feed.batches:,} batches, {feed.rows:,} rows sent"
    if alert is None:
        return Text(sent, style="dim")
    return Text.assemble(
        (f"{sent}  ", "dim"), ("ALERT ", "bold red"), (alert.title, "bold"), (f"  {alert.stage_of_diagnosis}", "dim")
    )
