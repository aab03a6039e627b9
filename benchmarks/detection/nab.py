"""The Numenta Anomaly Benchmark, standard profile: same settings for all 58 series, none of them tuned.

Own scorer, written from the published rule (Lavin and Ahmad 2015). It is checked twice. Published raw scores, once
normalised, must be the published final ones: of 15 rows ten agree (the other five were published from different runs:
their two files contradict each other). And the Windowed Gaussian is run again at its best threshold, which is how
published rows are chosen, though by a coarser search: it must come within half a point of its published score.
"""

import csv
import json
import lzma
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc

from benchmarks.report import Report
from detectors import evidence
from detectors.baseline import choose, empty_baseline, judge_values, learn
from detectors.surprise import empty_surprises, learn_surprises, single_limit, volatility

Floats = NDArray[np.float64]
PROFILE = "standard"
WINDOW, STEP = 6400, 100  # of the Windowed Gaussian
RUN_LENGTH = 8640.0  # rows between false alarms: a month of the usual five minutes
DAY = 288  # rows in which one alarm speaks for what follows it
MOST = 0.7  # of the threshold that one row may add, as for batches
KNOWN = 20
AFTER = 8.0  # rows' worth of belief that an alarm leaves of the baseline: the new level is accepted


@dataclass(frozen=True)
class Series:
    """Values, and the first and last row of each window in which something is wrong."""

    values: Floats
    windows: list[tuple[int, int]]

    @property
    def probation(self) -> int:
        """Rows that are not scored."""
        return int(min(0.15 * len(self.values), 750))


def read(folder: Path) -> dict[str, Series]:
    """All series with their windows."""
    windows = json.loads((folder / "labels" / "combined_windows.json").read_text())
    series = {}
    for name, spans in sorted(windows.items()):
        with lzma.open(folder / "data" / f"{name}.xz", "rt") as file:
            rows = list(csv.DictReader(file))
        at = np.array([row["timestamp"] for row in rows], "datetime64[us]")
        held = [np.flatnonzero((at >= np.datetime64(a)) & (at <= np.datetime64(b))) for a, b in spans]
        series[name] = Series(np.array([float(row["value"]) for row in rows]), [(int(h[0]), int(h[-1])) for h in held])
    return series


def sigmoid(position: Floats) -> Floats:
    """What a detection is worth at ``position``: -1 at the start of a window, 0 at its end, beyond 3 nothing."""
    return np.where(position > 3, -1.0, 2 / (1 + np.exp(5 * np.minimum(position, 3))) - 1)


def score(series: Series, alarmed: NDArray[np.bool_], cost: dict[str, float]) -> float:
    """The raw score of alarms, bool of one entry a row: the first alarm of a window counts, and every one outside."""
    rows = np.arange(len(series.values))
    fired = alarmed & (rows >= series.probation)
    outside, total = fired.copy(), 0.0
    before = np.full(len(rows), np.inf)  # how far after the window before, in its lengths
    for first, last in series.windows:
        inside = np.flatnonzero(fired[first : last + 1])
        outside[first : last + 1] = False
        before[last + 1 :] = (rows[last + 1 :] - last) / (last - first)
        if len(inside):
            position = np.array([(inside[0] - (last - first + 1)) / (last - first + 1)])
            total += cost["tpWeight"] * float((sigmoid(position) / sigmoid(np.array([-1.0])))[0])
        else:
            total -= cost["fnWeight"]
    return total + cost["fpWeight"] * float(sigmoid(before[outside]).sum())


def normalised(raw: float, windows: int) -> float:
    """0 for never alarming, 100 for all windows at their start and nothing else."""
    return 100 * (raw + windows) / (2 * windows)


def windowed_gaussian(values: Floats) -> Floats:
    """The published detector: one less the tail of the last 6,400 values, renewed every 100."""
    count = np.arange(len(values))
    begin = np.maximum(0, (count - WINDOW) // STEP * STEP)
    end = np.minimum(count, begin + WINDOW)
    sums = np.concatenate([[0.0], np.cumsum(values - values.mean())])
    squares = np.concatenate([[0.0], np.cumsum((values - values.mean()) ** 2)])
    n = np.maximum(end - begin, 1)
    mean = (sums[end] - sums[begin]) / n
    spread = np.sqrt(np.maximum((squares[end] - squares[begin]) / n - mean**2, 0))
    z = np.abs(values - values.mean() - mean) / np.where(spread < 1e-9, 1e-6, spread)
    return np.where(count > 0, 1 - 0.5 * erfc(z / np.sqrt(2)), 0.0)


def headwater(series: list[Series]) -> list[NDArray[np.bool_]]:
    """Our evidence over all series side by side, a row of each at a time; an alarm is taken as accepted."""
    m, longest = len(series), max(len(one.values) for one in series)
    values = np.stack([np.pad(one.values, (0, longest - len(one.values)), mode="edge") for one in series])
    length = np.array([len(one.values) for one in series])
    unit = np.maximum(values[:, :KNOWN].var(axis=1), 1e-12)
    live, bank, surprises = empty_baseline(m), evidence.empty_bank(m), empty_surprises(m)
    latest, most = np.full(m, -DAY), MOST * np.log(RUN_LENGTH)
    fired = np.zeros((m, longest), np.bool_)
    for n in range(longest):
        judged = judge_values(live, values[:, n], live.mean, unit, np.zeros(m))
        there = n < length
        z = judged.z / volatility(surprises)
        steps = np.minimum(evidence.normal_steps(z, np.full(m, 0.05), 5.0), most)
        bank = evidence.accumulate(bank, steps, there & (live.count >= 5), n)
        high = evidence.height(bank) > evidence.thresholds(bank, RUN_LENGTH)
        high |= z**2 / 2 > single_limit(surprises, 4 * RUN_LENGTH)
        alarmed = high & there & (n >= KNOWN) & (n - latest >= DAY)
        latest[alarmed] = n
        fired[:, n] = alarmed
        bank = evidence.forget(bank, high, n)
        learnt = learn(live, values[:, n], judged, unit, np.zeros(m), np.ones(m))
        live = choose(there, learnt, live)
        live.count = np.where(alarmed, np.minimum(live.count, AFTER), live.count)
        surprises = learn_surprises(surprises, judged.z, ~high)
    return [row[: len(one.values)] for row, one in zip(fired, series, strict=True)]


def measure(report: Report, folder: Path) -> None:
    """Score ourselves beside the published rows, after the scorer has been checked against them."""
    series = list(read(folder).values())
    windows = sum(len(one.windows) for one in series)
    cost = json.loads((folder / "config" / "profiles.json").read_text())[PROFILE]["CostMatrix"]
    raw = json.loads((folder / "config" / "thresholds.json").read_text())
    final = json.loads((folder / "results" / "final_results.json").read_text())
    apart = {name: abs(normalised(raw[name][PROFILE]["score"], windows) - final[name][PROFILE]) for name in final}
    agree = sum(difference < 1e-6 for difference in apart.values())
    likely = [windowed_gaussian(one.values) for one in series]
    again = max(
        sum(score(one, held >= 1 - 10**-digits, cost) for one, held in zip(series, likely, strict=True))
        for digits in np.arange(10, 15, 0.1)
    )
    gaussian = next(held[PROFILE] for name, held in final.items() if name.lower() == "windowedgaussian")
    off = abs(normalised(again, windows) - gaussian)
    ours = normalised(sum(map(lambda one, fired: score(one, fired, cost), series, headwater(series))), windows)
    report.say(
        f"NAB, standard profile: Headwater {ours:.1f}; published: "
        + ", ".join(
            f"{name} {held[PROFILE]:.1f}" for name, held in sorted(final.items(), key=lambda item: item[1][PROFILE])
        )
    )
    report.say(f"  scorer: Windowed Gaussian run again {normalised(again, windows):.2f}, published {gaussian:.2f}")
    report.add("NAB: published rows that normalise alike, of 15", agree, 10, least=True)
    report.add("NAB: Windowed Gaussian scored again, difference", off, 0.5)
    report.add("NAB: Headwater, standard profile", ours, 60, least=True)
