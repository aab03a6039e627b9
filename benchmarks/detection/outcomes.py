"""The life of a model whose outcomes come late: predictions and outcomes in the order in which they happen."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from detectors import model
from detectors.recalibration import Floats, expit, logit

SECOND = 1_000_000
CHUNK = 500  # predictions of an event; then the outcomes that are due by its time are told
Delay = Callable[[np.random.Generator, Floats], Floats]  # of outcomes 0 and 1, seconds


def apart(rng: np.random.Generator, outcomes: Floats) -> Floats:
    """Delays that tell nothing of the outcome: an hour on average."""
    return rng.exponential(3600.0, outcomes.size)


def telling(rng: np.random.Generator, outcomes: Floats) -> Floats:
    """Defaults are known within the hour, repayments after three."""
    return np.where(outcomes > 0.5, rng.exponential(1200.0, outcomes.size), 10_800.0 + apart(rng, outcomes))


def soon(rng: np.random.Generator, outcomes: Floats) -> Floats:
    """Five minutes on average."""
    return rng.exponential(300.0, outcomes.size)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Predictions, how they end, and the segment each belongs to; shape ``(n,)``."""

    score: Floats
    outcome: Floats
    code: NDArray[np.int32]

    def __len__(self) -> int:
        return self.score.size


def drawn(
    rng: np.random.Generator,
    rows: int,
    *,
    shift: float = 0.0,
    slope: float = 1.0,
    segments: int = 1,
    only: int | None = None,
    against: float = 3.0,
) -> Rows:
    """Scores Beta(2, against) whose outcomes have log odds ``shift + slope * logit(score)``.

    only: the one segment in which that is so; elsewhere scores are right.
    """
    score = rng.beta(2, against, rows)
    code = rng.integers(0, segments, rows).astype(np.int32)
    odds = logit(score)
    odds = np.where((code == only) | (only is None), shift + slope * odds, odds)
    return Rows(score=score, outcome=(rng.random(rows) < expit(odds)).astype(np.float64), code=code)


@dataclass(frozen=True, kw_only=True)
class Life:
    """A model's state, and the outcomes that are on their way.

    spacing_s: seconds from one prediction to the next. lost: share of outcomes that never arrive. alarms: names of the
    calibration findings so far, and the prediction time at which each rose.
    """

    delay: Delay
    policy: model.Policy
    spacing_s: float = 1.0
    lost: float = 0.0
    segments: int = 1
    state: model.ModelState = field(default_factory=lambda: model.start("bench/model"))
    read: int = 0
    due: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    due_id: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    due_outcome: Floats = field(default_factory=lambda: np.empty(0))
    alarms: dict[tuple[str, str | None], int] = field(default_factory=dict)
    gauges: dict[str, float] = field(default_factory=dict)

    @property
    def now(self) -> int:
        """When the last prediction was made."""
        return round(self.read * self.spacing_s * SECOND)

    def lived(self, rng: np.random.Generator, rows: Rows, *, until_alarm: bool = False) -> "Life":
        """The same after more predictions, and the outcomes that arrived meanwhile; at the first alarm if so wished."""
        life = self
        for start in range(0, len(rows), CHUNK):
            part = slice(start, start + CHUNK)
            life = life._with(rng, rows.score[part], rows.outcome[part], rows.code[part])
            if until_alarm and len(life.alarms) > len(self.alarms):
                break
        return life

    def _with(self, rng: np.random.Generator, score: Floats, outcome: Floats, code: NDArray[np.int32]) -> "Life":
        count = self.read + 1 + np.arange(score.size)
        at = np.round(count * self.spacing_s * SECOND).astype(np.int64)
        given = model.PredictionsInput(
            subject=self.state.subject,
            first_event_id=f"e{self.read}",
            task="BINARY",
            arrived_at=int(at[-1]),
            scores=score,
            at=at,
            id_hash=count.astype(np.uint64),
            segment=code if self.segments > 1 else np.empty(0, np.int32),
            segments=tuple(f"s{i}" for i in range(self.segments)) if self.segments > 1 else (),
        )
        state, _ = model.fold_predictions(self.state, model.summarise_predictions(self.state, given), self.policy)
        arrives = rng.random(score.size) >= self.lost
        due = at + np.round(self.delay(rng, outcome) * SECOND).astype(np.int64)
        return replace(
            self,
            state=state,
            read=self.read + score.size,
            due=np.concatenate([self.due, due[arrives]]),
            due_id=np.concatenate([self.due_id, given.id_hash[arrives]]),
            due_outcome=np.concatenate([self.due_outcome, outcome[arrives]]),
        )._told()

    def _told(self) -> "Life":
        """Outcomes that are due by now, in the order in which they arrive."""
        here = self.due <= self.now
        if not here.any():
            return self
        order = np.argsort(self.due[here], kind="stable")
        given = model.OutcomesInput(
            subject=self.state.subject,
            id_hash=self.due_id[here][order],
            outcome=self.due_outcome[here][order],
            at=self.due[here][order],
            arrived_at=self.now,
        )
        state, said = model.fold_outcomes(self.state, model.summarise_outcomes(self.state, given), self.policy)
        found = said.findings if said else ()
        alarms = {(f.alarm_batch_id, f.segment): f.alarm_at for f in found if f.statistic == "calibration"}
        return replace(
            self,
            state=state,
            due=self.due[~here],
            due_id=self.due_id[~here],
            due_outcome=self.due_outcome[~here],
            alarms=alarms | self.alarms,
            gauges=said.gauges if said else self.gauges,
        )
