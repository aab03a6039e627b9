"""The loan model's performance per 5,000 rows: what is said before all outcomes are in, and what it turns out to be."""

import csv
import lzma
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from benchmarks.report import Report
from detectors import model
from detectors.recalibration import Floats

ROWS, WINDOW = 5_000, 500
DAY_US = 86_400_000_000
# CBPE of NannyML 0.13.1, one model of each chunk, published with the data
NANNYML = (0.970744, 0.971011, 0.971407, 0.971091, 0.971123, 0.961090, 0.961825, 0.961073, 0.962533, 0.961316)


@dataclass(frozen=True, kw_only=True)
class Loans:
    """Reference and later rows in one: score, outcome and time of each; ``reference`` of them come first."""

    score: Floats
    outcome: Floats
    at: NDArray[np.int64]
    reference: int


def _read(folder: Path) -> Loans:
    held = []
    for name in ("reference", "analysis", "analysis_target"):
        with lzma.open(folder / f"synthetic_car_loan_{name}.csv.xz", "rt", encoding="utf-8") as file:
            held.append(list(csv.DictReader(file)))
    reference, later, target = held
    truth = {row["id"]: row["repaid"] for row in [*reference, *target]}
    rows = [*reference, *later]
    times = [datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC).timestamp() for row in rows]
    return Loans(
        score=np.array([float(row["y_pred_proba"]) for row in rows]),
        outcome=np.array([float(truth[row["id"]]) for row in rows]),
        at=(np.array(times) * 1e6).astype(np.int64),
        reference=len(reference),
    )


def _lived(loans: Loans, delay_days: float) -> list[dict[str, float]]:
    """Gauges at the end of every 5,000 rows after the reference, whose own outcomes take a week."""
    state, policy, said, read = model.start("bench/loans"), model.Policy(), list[dict[str, float]](), 0
    state = model.pin(state, int(loans.at[loans.reference - 1]))
    ids = np.arange(1, loans.score.size + 1, dtype=np.uint64)
    later = np.arange(loans.score.size) >= loans.reference
    due = loans.at + np.where(later, delay_days * DAY_US, 7 * DAY_US).astype(np.int64)
    for start in range(0, loans.score.size, WINDOW):
        part = slice(start, start + WINDOW)
        now = int(loans.at[part][-1])
        upto = int(np.searchsorted(due, now))
        outcomes = model.OutcomesInput(
            subject=state.subject,
            id_hash=ids[read:upto],
            outcome=loans.outcome[read:upto],
            at=due[read:upto],
            arrived_at=now,
        )
        if upto > read:
            state, _ = model.fold_outcomes(state, model.summarise_outcomes(state, outcomes), policy)
            read = upto
        given = model.PredictionsInput(
            subject=state.subject,
            first_event_id=f"e{start}",
            task="BINARY",
            arrived_at=now,
            scores=loans.score[part],
            at=loans.at[part],
            id_hash=ids[part],
        )
        state, judged = model.fold_predictions(state, model.summarise_predictions(state, given), policy)
        end = start + WINDOW
        if judged is not None and end > loans.reference and end % ROWS == 0:
            said.append(dict(judged.gauges))
    return said


def _realised(score: Floats, outcome: Floats) -> dict[str, float]:
    ranks, ones = rankdata(score), outcome.sum()
    area = (ranks[outcome > 0.5].sum() - ones * (ones + 1) / 2) / (ones * (outcome.size - ones))
    return {"roc_auc": float(area), "accuracy_ratio": float(((score >= 0.5) == (outcome > 0.5)).mean())}


def measure(report: Report, folder: Path) -> None:
    """Estimated and realised area under the curve and accuracy: no outcome known, and outcomes after a week."""
    loans = _read(folder)
    chunks = range(loans.reference, loans.score.size, ROWS)
    truth = [_realised(loans.score[i : i + ROWS], loans.outcome[i : i + ROWS]) for i in chunks]
    report.say("car loan per 5,000 rows: realised, and estimated minus realised (* outside its 95 % interval)")
    published = np.array(NANNYML) - [real["roc_auc"] for real in truth]
    _row(report, "NannyML CBPE, roc_auc", published, None, None)
    for name in ("roc_auc", "accuracy_ratio"):
        real = np.array([each[name] for each in truth])
        report.say(f"  {'realised ' + name:36}" + "".join(f"{value:8.4f} " for value in real))
        for when, days in {"no outcomes": 400.0, "outcomes after 7 days": 7.0}.items():
            said = _lived(loans, days)
            stem, unit = name.removesuffix("_ratio"), "_ratio" if name.endswith("_ratio") else ""
            low, value, high = (
                np.array([gauges[f"recent_{stem}{end}{unit}"] for gauges in said]) for end in ("_lower", "", "_upper")
            )
            bar = 0.003 if (name, days) == ("roc_auc", 7.0) else None
            _row(report, f"{when}, {name}", value - real, (low <= real) & (real <= high), bar)


def _row(report: Report, name: str, error: Floats, covered: NDArray[np.bool_] | None, bar: float | None) -> None:
    outside = np.zeros(error.size, bool) if covered is None else ~covered
    cells = "".join(f"{value:+8.4f}{'*' if out else ' '}" for value, out in zip(error, outside, strict=True))
    worst, mean = float(np.abs(error).max()), float(np.abs(error).mean())
    report.say(f"  {name:36}{cells} mean {mean:.4f}, worst {worst:.4f}, {_share(covered)}")
    report.add(f"carloan: worst error of estimates per 5,000 rows: {name}", worst, bar)
    report.add(f"carloan: mean error of estimates per 5,000 rows: {name}", mean, None)
    if covered is not None:
        report.add(f"carloan: realised within the stated interval: {name}", float(covered.mean()), None)


def _share(covered: NDArray[np.bool_] | None) -> str:
    return "no interval" if covered is None else f"inside {covered.mean():.0%}"
