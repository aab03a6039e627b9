"""Alarms of the evidence: where a shift began, and when it is over."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detectors import evidence
from detectors.comparing import Compared
from detectors.finding import Micros
from detectors.mixture import most_moved
from detectors.reference import TOP, Floats
from detectors.sentences import Shift, sentence
from detectors.state import Active, BatchSummary, DatasetState
from detectors.surprise import learn_spikes
from detectors.table import RATED

BACK = 4.6  # nats: a hundred to one that the statistic is back
BACK_STEP = 2.5  # nats: the most one batch may say for it, so that at least two must
SPIKE = 5  # batches
FEW = 30.0  # rows, or different values: what so few tell comes in bursts, however long
HIGHEST, HIGHEST_FEW = 15.0, 45.0  # nats that count of a spike and of a burst: neither may blind the bank for long


def open_alarms(
    state: DatasetState, batch: BatchSummary, weighed: Compared, alarmed: NDArray[np.bool_]
) -> DatasetState:
    """Open a finding for each alarmed statistic, and bring those that last up to date."""
    if not state.active and not alarmed.any():
        return state
    likeliest, least, highest = evidence.onsets(state.bank)
    heights = evidence.height(state.bank)
    opened = []
    rows = np.flatnonzero(alarmed)
    columns, statistics = state.table.at(rows)
    for place, row in enumerate(rows):
        side, size = divmod(int(highest[row]), 5)
        earliest, latest, first = onset(state, int(likeliest[row]), int(least[row]), batch)
        opened.append(
            Active(
                column=columns[place],
                statistic=statistics[place],
                rank=int(state.table.rank[row]),
                row=int(row),
                side=1 - 2 * side,
                size=max(1.0, float(evidence.SIZES[size])),
                evidence=float(heights[row]),
                step=state.steps + 1,
                spike=float(weighed.z[row]),
                alarm_batch_id=batch.batch_id,
                alarm_at=batch.at,
                onset_earliest=earliest,
                onset_latest=latest,
                onset_batch_id=first,
            )
        )
    kin = {(a.column, a.statistic): a for a in reversed(state.active) if a.row >= 0}
    active = (*state.active, *(_named_after(a, kin.get((a.column, a.statistic))) for a in opened))
    return replace(state, active=tuple(_current(state, a, weighed, heights) for a in active))


def _named_after(active: Active, kin: Active | None) -> Active:
    """Another category of a column that already has a finding belongs to that finding."""
    if kin is None:
        return active
    return replace(active, alarm_batch_id=kin.alarm_batch_id, alarm_at=kin.alarm_at)


def onset(state: DatasetState, likeliest: int, least: int, batch: BatchSummary) -> tuple[Micros, Micros, str | None]:
    """Between which times a change began, and its likeliest first batch.

    likeliest, least: for how many steps, this one included, it has been there. Of batches that were weighed together
    the first may still have been healthy, and only the last is sure not to be.
    """
    recent, now = state.recent, state.steps + 1
    healthy = np.flatnonzero((recent.step >= 0) & (recent.step <= now - likeliest))
    changed, surely = (np.flatnonzero(recent.step > now - steps) for steps in (likeliest, least))
    began, first = (int(recent.at[changed[0]]), recent.ids[changed[0]]) if len(changed) else (batch.at, batch.batch_id)
    earliest = int(recent.at[healthy[-1]]) if len(healthy) else began
    latest = int(recent.at[recent.step == recent.step[surely[0]]].max()) if len(surely) else batch.at
    return min(earliest, latest), latest, first


def _current(state: DatasetState, active: Active, weighed: Compared, heights: Floats) -> Active:
    """The finding as the latest batch shows it."""
    row = active.row
    if row < 0 or not weighed.live[row] or active.back > 0:  # on its way back it keeps what it said
        return active
    shift = describe(state, row, weighed)
    return replace(
        active,
        observed=shift.observed,
        expected=shift.expected,
        effect=None if active.statistic == "mean" and not shift.usual_deviation else shift.effect,
        evidence=max(active.evidence, float(heights[row])),
        sentence=sentence(active.statistic, shift),
    )


def describe(state: DatasetState, row: int, weighed: Compared) -> Shift:
    """A statistic's shift in public units: rates as rates, location and scale in the column's own."""
    (name,), (statistic,) = state.table.at(np.array([row]))
    value, usual = float(weighed.value[row]), float(weighed.judged.level[row])
    observed, expected, effect = value, usual, value - usual
    summary = weighed.columns.get(name)
    mean = deviation = usual_mean = usual_deviation = 0.0
    if summary is not None:
        position = state.columns[name].position
        mean, deviation = summary.mean, (summary.squares / max(1, summary.present)) ** 0.5
        usual_mean = float(state.portrait.mean[position])
        usual_deviation = float(state.portrait.deviation[position])
    rank = int(state.table.rank[row])
    if statistic == "category_mix" and summary is not None:
        shares = state.portrait.share[state.columns[name].position]
        rank = RATED - 1 + most_moved(summary.counts[RATED - 1 :], shares[RATED - 1 : TOP + 1])
        observed, expected = float(summary.counts[rank]) / max(1, summary.present), float(shares[rank])
        effect = 100 * (observed - expected)
    elif state.table.rate[row]:
        held, rows = float(weighed.measured.held[row]), float(weighed.measured.rows[row])
        ever = state.live.held[row] > 0  # the arcsine of none is a little more than none
        observed, expected = held / max(1.0, rows), float(np.sin(max(usual, 0.0)) ** 2) if ever else 0.0
        effect = 100 * (observed - expected)
    elif statistic in ("rows", "gap"):
        observed, expected = float(np.exp(value)), float(np.exp(usual))
    elif statistic == "distinct":
        observed, expected = float(np.exp(value - usual)), 1.0
    elif statistic in ("location", "mean"):
        observed, expected = mean, usual_mean
    elif statistic == "scale":
        observed, expected = deviation, usual_deviation
    return Shift(
        column=name,
        rank=rank,
        observed=observed,
        expected=expected,
        effect=effect,
        mean=mean,
        deviation=deviation,
        usual_mean=usual_mean,
        usual_deviation=usual_deviation,
    )


def _size(active: Active, away: float, step: int) -> float:
    """The mean deviation since the alarm: that of the alarm itself is the largest of many, a lasting one is smaller."""
    size = active.size + (away - active.size) / (step - active.step + 1)
    return min(max(size, 1.0), float(evidence.SIZES[-1]))


def close_recovered(state: DatasetState, weighed: Compared) -> tuple[DatasetState, NDArray[np.bool_]]:
    """End the findings whose statistic is back: a reversed CUSUM, the baseline against the shift that alarmed.

    What was over within a few batches was a spike, what few rows told was a burst, and both are part of the tail from
    which thresholds are learnt.
    """
    recovered = np.zeros(len(weighed.live), np.bool_)
    if not state.active:
        return state, recovered
    kept, spikes = list[Active](), list[tuple[int, float, float]]()
    for active in state.active:
        row = active.row
        if row < 0 or not weighed.live[row]:
            kept.append(active)
            continue
        away = active.side * float(weighed.z[row]) - float(weighed.tolerance[row])
        step = active.size**2 / 2 - active.size * away
        back = max(0.0, active.back + min(BACK_STEP, max(-BACK_STEP, step)))
        if back < BACK:
            kept.append(replace(active, back=back, size=_size(active, away, state.steps + 1)))
            continue
        recovered[row] = True
        few = _few(state, active, weighed)
        if few or state.steps + 1 - active.step <= SPIKE:
            spikes.append((row, min(active.evidence, HIGHEST_FEW if few else HIGHEST), active.spike))
    bank = evidence.forget(state.bank, recovered)
    surprises = state.surprises
    if spikes:
        rows, heights, z = (np.array(told) for told in zip(*spikes, strict=True))
        bank = evidence.learn_peaks(bank, rows, heights)
        surprises = learn_spikes(surprises, rows, z)
    return replace(state, active=tuple(kept), bank=bank, surprises=surprises), recovered


def _few(state: DatasetState, active: Active, weighed: Compared) -> bool:
    """Whether a finding was told by few rows of a rare kind, or by few different values."""
    of, told = weighed.measured, active.observed or 0.0
    if state.table.counted[active.row]:
        return bool(told * of.held[active.row] < FEW)
    return bool(weighed.rare[active.row] and told * of.rows[active.row] < FEW)
