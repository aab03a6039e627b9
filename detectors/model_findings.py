"""A model's findings under their public names: those of its windows, its serving, its outcomes."""

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from typing import Final

import numpy as np

from detectors.bank import Calibration, CalibrationAlarm
from detectors.bets import LEVEL, SLOPES
from detectors.checks import percent
from detectors.finding import Finding
from detectors.judgement import Judgement
from detectors.life import standing
from detectors.model_columns import SCORE, feature_of
from detectors.performance import COVERAGE, SEGMENT, Performance
from detectors.state import DatasetState

OF_WINDOWS: Final = frozenset({"rows", "gap", "out_of_order", "duplicate_batch", "row_count_mismatch", "empty_batch"})
SERVING: Final = {
    ("latency", "location"): "latency",
    ("error", "missing_rate"): "error_rate",
    ("feature_age", "location"): "feature_age",
    ("feature_latency", "location"): "feature_latency",
    ("feature_miss", "missing_rate"): "feature_miss_rate",
}
RESIDUALS: Final = {"location": "residual_bias", "scale": "residual_scale"}


class One(StrEnum):
    """What an outcome of 1 says."""

    HAPPENED = "HAPPENED"
    RIGHT = "RIGHT"  # the predicted class came true
    COVERED = "COVERED"  # the value lies inside its interval


def standing_findings(
    subject: str, inputs: DatasetState, serving: DatasetState, performance: Performance, *, top_class: bool
) -> tuple[Finding, ...]:
    """Every finding of a model that lasts. top_class: scores are confidences of the predicted class."""
    one = One.RIGHT if top_class else One.HAPPENED
    found = [*_of_inputs(inputs), *_of_serving(serving), *_of_residuals(performance)]
    names = performance.names
    found += _of_calibration(subject, None, one, performance.overall, names.get("", ""))
    for segment, bank in zip(performance.segments, performance.banks, strict=False):
        found += _of_calibration(subject, segment, one, bank, names.get(SEGMENT + segment, ""))
    found += _of_calibration(subject, None, One.COVERED, performance.coverage, names.get(COVERAGE, ""))
    return tuple(found)


def count_statistics(inputs: DatasetState, serving: DatasetState, performance: Performance) -> int:
    """How many statistics may raise a finding; all banks of calibration share the budget of one."""
    of_inputs = sum(
        not (c == "" and s in OF_WINDOWS) for c, s in zip(inputs.table.column, inputs.table.statistic, strict=True)
    )
    of_serving = sum(
        (c.partition("/")[0], s) in SERVING for c, s in zip(serving.table.column, serving.table.statistic, strict=True)
    )
    of_outcomes = 0 if performance.rows == 0 else 1
    return of_inputs + of_serving + of_outcomes + (len(RESIDUALS) if performance.residuals else 0)


def calibration_gauges(bank: Calibration, *, top_class: bool) -> dict[str, float]:
    """How calibration is off while an alarm stands, on log odds; empty without one.

    ``changed_accuracy_ratio`` is how often, since the onset, the class came true that the healthy map holds likelier
    (``top_class``: the predicted one), among ``changed_outcomes``. ``calibration_slope`` is the slope of the best
    bet (1: confidence is right), ``calibration_offset`` how much higher the mean outcome since the onset is than the
    mean probability (0: right on average), and ``calibration_slope_nats`` by how much the best bet on another slope
    beat the best on another level.
    """
    if bank.alarm is None:
        return {}
    rows, ones, probability, hits = (bank.totals - bank.alarm.before)[:4]
    mean, claimed = ((total + 0.5) / (rows + 1.0) for total in (ones, probability))
    offset = np.log(mean / (1.0 - mean)) - np.log(claimed / (1.0 - claimed))
    margin = bank.cusum[~LEVEL].max() - bank.cusum[LEVEL].max()
    slope = SLOPES[bank.alarm.member]
    return {
        "changed_accuracy_ratio": float((ones if top_class else hits) / max(rows, 1.0)),
        "changed_outcomes": float(rows),
        "calibration_slope": float(slope),
        "calibration_offset": float(offset),
        "calibration_slope_nats": float(margin),
    }


def named(seen: Judgement) -> Judgement:
    """Name readings as the findings about them are named: features by their names, the scores not at all."""
    readings = seen.readings
    names = zip(readings.column, readings.statistic, strict=True)
    readings = replace(
        readings,
        column=tuple(feature_of(column) for column in readings.column),
        statistic=tuple(_of_score(statistic) if column == SCORE else statistic for column, statistic in names),
    )
    profiles = tuple(replace(profile, name=feature_of(profile.name)) for profile in seen.profiles)
    return replace(seen, readings=readings, profiles=profiles)


def _of_score(statistic: str) -> str:
    return f"score_{statistic}"


def _of_inputs(inputs: DatasetState) -> Iterator[Finding]:
    """Scores speak for the model; how many rows a window has is our own doing and no finding."""
    for finding in standing(inputs):
        if finding.column is None and finding.statistic in OF_WINDOWS:
            continue
        if finding.column == SCORE:
            yield replace(finding, column=None, statistic=_of_score(finding.statistic))
        elif finding.statistic not in OF_WINDOWS:
            yield replace(finding, column=finding.column and feature_of(finding.column))


def _of_serving(serving: DatasetState) -> Iterator[Finding]:
    for finding in standing(serving):
        name, _, view = (finding.column or "").partition("/")
        statistic = SERVING.get((name, finding.statistic))
        if statistic is not None:
            yield replace(finding, statistic=statistic, column=view or None, sentence=_served(statistic, view, finding))


def _served(statistic: str, view: str, finding: Finding) -> str:
    what = {
        "latency": "latency of the model",
        "error_rate": "error rate of the model",
        "feature_age": f"age of feature view `{view}` when read",
        "feature_latency": f"latency of reading feature view `{view}`",
        "feature_miss_rate": f"miss rate of feature view `{view}`",
    }[statistic]
    observed, expected = finding.observed, finding.expected
    if observed is None or expected is None:
        return f"{what} changed"
    verb = "rose" if observed >= expected else "fell"
    if statistic in ("error_rate", "feature_miss_rate"):
        return f"{what} {verb} from {percent(expected)} to {percent(observed)}"
    return f"{what} {verb} from {expected:.3g} s to {observed:.3g} s"


def _of_residuals(performance: Performance) -> Iterator[Finding]:
    for finding in standing(performance.residuals) if performance.residuals else ():
        statistic = RESIDUALS.get(finding.statistic)
        if statistic is not None:
            sentence = finding.sentence.replace("`residual`", "outcome minus prediction")
            name = finding.alarm_batch_id.partition(".")[0]
            yield replace(finding, statistic=statistic, column=None, alarm_batch_id=name, sentence=sentence)


def _of_calibration(subject: str, segment: str | None, one: One, bank: Calibration, name: str) -> Iterator[Finding]:
    alarm = bank.alarm
    if alarm is None or not name:
        return
    observed, expected, sentence = _claim(bank, alarm, one)
    yield Finding(
        subject=subject,
        statistic="interval_coverage" if one is One.COVERED else "calibration",
        segment=segment,
        observed=observed,
        expected=expected,
        effect=100.0 * (observed - expected),
        evidence_nats=alarm.evidence_nats,
        alarm_batch_id=name,
        alarm_at=alarm.at,
        onset_earliest=alarm.onset_earliest,
        onset_latest=alarm.onset_latest,
        sentence=f"in segment {segment}, {sentence}" if segment else sentence,
    )


def _claim(bank: Calibration, alarm: CalibrationAlarm, one: One) -> tuple[float, float, str]:
    """Observed and expected rate since the onset, and what that means in words."""
    rows, ones, probability, _, high, high_ones, high_probability = bank.totals - alarm.before
    if one is One.HAPPENED and not LEVEL[alarm.member]:
        observed, expected = high_ones / max(high, 1.0), high_probability / max(high, 1.0)
        side = "more" if observed < expected else "less"
        sentence = (
            f"high scores promise {side} than comes true: outcomes follow {percent(observed)} of them instead of "
            f"{percent(expected)}"
        )
        return float(observed), float(expected), sentence
    observed, expected = ones / max(rows, 1.0), probability / max(rows, 1.0)
    instead = f"{percent(observed)} instead of {percent(expected)}"
    if one is One.COVERED:
        sentence = f"prediction intervals cover {percent(observed)} of outcomes, {percent(expected)} before"
    elif one is One.HAPPENED:
        side = "more" if observed > expected else "less"
        sentence = f"outcomes are {side} frequent than the scores say: {instead}"
    else:
        side = "less" if observed < expected else "more"
        sentence = f"scores are {side} often right than they claim: {instead}"
    return float(observed), float(expected), sentence
