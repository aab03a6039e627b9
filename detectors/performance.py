"""What matured outcomes say of a model: calibration overall and by segment, residuals, intervals, and gauges."""

from dataclasses import dataclass, field, replace
from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors import dataset
from detectors.bank import Calibration, CalibrationAlarm
from detectors.batch import BatchInput, NumberColumn
from detectors.calibration import fold_outcomes
from detectors.finding import Micros
from detectors.model_policy import MONTH_S, Policy
from detectors.recalibration import Floats, Recalibration, expit, fit, logit, loosened
from detectors.regression import Errors
from detectors.regression import fade_in as fade_in_errors
from detectors.reliability import Reliability, fade_in
from detectors.runs import Run
from detectors.state import DatasetState

CONFIDENCE: Final = 0.05  # the promised run length is kept with 95 % certainty, not on average
LEAST_RUN_LENGTH: Final = 1e5
SETTLED_DELAYS: Final = 3
COVERAGE: Final = "coverage"
SEGMENT: Final = "segment "


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Performance:
    """The memory of matured outcomes: about 26 kB, 9.5 kB a segment, 10 kB more for a regression.

    rows: outcomes judged, from first_at to last_at. segments: their names, beside banks. coverage: of prediction
    intervals. residuals: outcome minus score, as a column of windows; residual_rest: those of the open window.
    names: of calibration alarms that stand, after the step of outcomes in which they began.
    """

    rows: int = 0
    first_at: Micros = 0
    last_at: Micros = 0
    overall: Calibration = field(default_factory=Calibration)
    segments: tuple[str, ...] = ()
    banks: tuple[Calibration, ...] = ()
    coverage: Calibration = field(default_factory=Calibration)
    reliability: Reliability = field(default_factory=Reliability)
    errors: Errors = field(default_factory=Errors)
    residuals: DatasetState | None = None
    residual_rest: Floats = field(default_factory=lambda: np.empty(0))
    names: dict[str, str] = field(default_factory=dict)

    @property
    def alarms(self) -> dict[str, CalibrationAlarm]:
        """Calibration alarms that stand, by what they are about."""
        banks = {"": self.overall, COVERAGE: self.coverage}
        banks |= {SEGMENT + name: bank for name, bank in zip(self.segments, self.banks, strict=False)}
        return {about: bank.alarm for about, bank in banks.items() if bank.alarm is not None}

    @property
    def standing(self) -> frozenset[str]:
        """Names of the findings that stand, so that one can tell whether any began."""
        active = self.residuals.active if self.residuals else ()
        of_residuals = {f"{finding.statistic} {finding.alarm_batch_id}" for finding in active}
        return frozenset({f"{about} {name}" for about, name in self.names.items() if name} | of_residuals)

    def named(self, name: str) -> "Performance":
        """The same, where alarms that have no name yet are called ``name``.

        A segment that alarms after the whole model did says nothing new: it stays without a name, and is no finding.
        """
        overall = self.overall.alarm
        names = {}
        for about, alarm in self.alarms.items():
            follows = about.startswith(SEGMENT) and overall is not None and alarm.at >= overall.at
            names[about] = self.names.get(about, "" if follows else name)
        return replace(self, names=names)


def fold_probabilities(
    known: Performance, matured: Run, segments: tuple[str, ...], policy: Policy, *, top_class: bool
) -> Performance:
    """Fold outcomes (0 or 1) of probabilities, in prediction order. ``segments`` names the codes of ``matured``.

    top_class: scores are confidences of the predicted class.
    """
    sound = (matured.score >= 0.0) & (matured.score <= 1.0) & ((matured.outcome == 0.0) | (matured.outcome == 1.0))
    score, outcome, at = matured.score[sound], matured.outcome[sound], matured.at[sound]
    if score.size == 0:
        return known
    known = _counted(known, at)
    score_logit = logit(score)
    estimate = expit(known.overall.healthy.log_odds(score_logit))
    threshold = _threshold_nats(known, policy)
    known = replace(known, reliability=fade_in(known.reliability, score, outcome, estimate, top_class=top_class))
    known = _fold_segments(known, score_logit, outcome, at, matured.segment[sound], segments, threshold, policy)
    share = log(2.0) if known.banks else 0.0
    overall = fold_outcomes(
        known.overall, score_logit, outcome, at, threshold_nats=threshold + share, baseline_rows=policy.baseline_rows
    )
    return replace(known, overall=overall)


def _fold_segments(
    known: Performance,
    score_logit: Floats,
    outcome: Floats,
    at: NDArray[np.int64],
    code: NDArray[np.int16],
    segments: tuple[str, ...],
    threshold: float,
    policy: Policy,
) -> Performance:
    """Each segment has a bank of its own; together they share half of the calibration's budget.

    Each outcome is in one segment, and alarms are rare per outcome: the banks alarm no more often than one of all.
    """
    banks = list(known.banks)
    for i in range(len(segments)):
        rows = code == i
        if i >= len(banks):
            banks.append(Calibration(healthy=loosened(known.overall.healthy)))
        if rows.any():
            banks[i] = fold_outcomes(
                banks[i],
                score_logit[rows],
                outcome[rows],
                at[rows],
                threshold_nats=threshold + log(2.0),
                baseline_rows=policy.baseline_rows,
            )
    return replace(known, segments=segments, banks=tuple(banks))


def fold_values(subject: str, known: Performance, matured: Run, name: str, policy: Policy) -> Performance:
    """Fold outcomes of a regression, in prediction order: residuals in windows, and coverage of the intervals.

    name: of the findings that begin now.
    """
    known = _counted(known, matured.at)
    if matured.lower.size:
        known = _fold_coverage(known, matured, policy)
    error = matured.outcome - matured.score
    known = replace(known, errors=fade_in_errors(known.errors, error, *_ends(matured)))
    residuals = known.residuals or dataset.start(subject)
    rest = np.concatenate([known.residual_rest, error])
    windows = rest.size // policy.window_rows
    for i in range(windows):
        window, rest = rest[: policy.window_rows], rest[policy.window_rows :]
        at = int(matured.at[max(0, matured.at.size - 1 - rest.size)])
        columns = {"residual": NumberColumn(values=window)}
        batch = BatchInput(
            subject=subject, batch_id=f"{name}.{i}", at=at, arrived_at=at, rows=window.size, columns=columns
        )
        residuals, _ = dataset.fold(residuals, dataset.summarise(residuals, batch), policy.columns)
    return replace(known, residuals=residuals, residual_rest=rest)


def _ends(matured: Run) -> tuple[Floats, Floats]:
    """The intervals' ends less the prediction; NaN where there is no interval."""
    if not matured.lower.size:
        return np.full_like(matured.score, np.nan), np.full_like(matured.score, np.nan)
    return matured.lower - matured.score, matured.upper - matured.score


def _fold_coverage(known: Performance, matured: Run, policy: Policy) -> Performance:
    held = ~np.isnan(matured.lower) & ~np.isnan(matured.upper)
    inside = (matured.outcome >= matured.lower) & (matured.outcome <= matured.upper)
    coverage = fold_outcomes(
        known.coverage,
        np.zeros(int(held.sum())),  # the map's intercept alone learns how often outcomes lie inside
        inside[held].astype(np.float64),
        matured.at[held],
        threshold_nats=_threshold_nats(known, policy),
        baseline_rows=policy.baseline_rows,
    )
    return replace(known, coverage=coverage)


def _counted(known: Performance, at: NDArray[np.int64]) -> Performance:
    first = int(at[0]) if known.rows == 0 else known.first_at
    return replace(known, rows=known.rows + at.size, first_at=first, last_at=max(known.last_at, int(at[-1])))


def _threshold_nats(known: Performance, policy: Policy) -> float:
    """Logarithm of the outcomes between false alarms that the budget allows this one statistic, over 5 %."""
    run_length = policy.calibration_run_length
    if run_length is None:
        months = max(known.last_at - known.first_at, 1) / 1e6 / MONTH_S
        share = max(policy.monitored, 1) / policy.false_alarms_per_month
        run_length = max(LEAST_RUN_LENGTH, min(known.rows / months, 1e12) * share)
        run_length = 2.0 ** np.ceil(np.log2(run_length))  # in steps, so that it does not follow every outcome
    return log(run_length / CONFIDENCE)


def forget_young(known: Performance, delay: Micros) -> Performance:
    """Forget what was learnt in less time than a few of the delays that outcomes turn out to have, gauges too."""
    return Performance() if known.last_at - known.first_at < SETTLED_DELAYS * delay else known


def accept(known: Performance) -> Performance:
    """The new normal: outcomes from now on teach the map afresh; gauges go on."""
    return Performance(
        rows=known.rows,
        first_at=known.first_at,
        last_at=known.last_at,
        segments=known.segments,
        banks=tuple(Calibration() for _ in known.banks),
        reliability=known.reliability,
        errors=known.errors,
    )


def meaning_of(known: Performance) -> Recalibration:
    """What scores mean: as learnt while healthy, or of late while a finding of calibration stands."""
    if known.overall.alarm is None:
        return known.overall.healthy
    return fit(Recalibration(counts=known.reliability.shelves))
