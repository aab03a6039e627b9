"""All files read through once before anything is sent: how much there is, and what is wrong with it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from schemas.events import Micros
from streams.ingest.check import Checked
from streams.ingest.job import Job
from streams.ingest.problem import Problem

SHOWN_PROBLEMS = 10


@dataclass(slots=True)
class Survey:
    """Counts over rows; only the first few problems are kept."""

    good: int = 0
    wrong: int = 0
    unknown: int = 0
    backwards: int = 0
    first_at: Micros | None = None
    last_at: Micros | None = None
    first_backwards: str = ""
    unplanned: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def add(self, checked: Checked) -> None:
        """One piece."""
        self.good += checked.good.size
        self.unknown += checked.unknown
        self.wrong += len(checked.problems)
        self.problems += checked.problems[: SHOWN_PROBLEMS - len(self.problems)]
        if not checked.good.size:
            return
        at = checked.at[checked.good]
        earliest, latest = int(at.min()), int(at.max())
        steps = at[1:] < at[:-1]
        starts_back = self.last_at is not None and int(at[0]) < self.last_at
        if (steps.any() or starts_back) and not self.backwards:
            row = 0 if starts_back else int(steps.argmax()) + 1
            self.first_backwards = f"{checked.file}:{checked.lines[checked.good[row]]}"
        self.backwards += int(steps.sum()) + starts_back
        self.first_at = earliest if self.first_at is None else min(self.first_at, earliest)
        self.last_at = latest if self.last_at is None else max(self.last_at, latest)


def survey(job: Job, now: Micros, seen: Callable[[int], None]) -> Survey:
    """Reads and checks every row; ``seen`` is told how many rows each piece had.

    Raises:
        BadInput: a file cannot be read, or lacks a column.
    """
    result = Survey()
    for _, rows in job.pieces():
        result.unplanned |= set(rows.frame.columns) - job.known
        result.add(job.check(rows, now))
        seen(len(rows.lines))
    return result
