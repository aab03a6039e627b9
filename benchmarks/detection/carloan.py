"""A loan model's predictions with an incident at a known row: which batch tells, and which columns it names."""

import csv
import json
import lzma
from pathlib import Path

import numpy as np

from benchmarks.detection.feeding import ROWS, feed
from benchmarks.report import Report
from detectors.batch import CategoryColumn, ColumnInput, NumberColumn
from detectors.dataset import Policy, start

NUMBERS = ("car_value", "debt_to_income_ratio", "loan_length", "driver_tenure", "y_pred_proba")
TEXTS = ("salary_range", "repaid_loan_on_prev_car", "size_of_downpayment")


def _columns(rows: list[dict[str, str]]) -> dict[str, ColumnInput]:
    columns: dict[str, ColumnInput] = {
        name: NumberColumn(values=np.array([float(row[name] or "nan") for row in rows])) for name in NUMBERS
    }
    for name in TEXTS:
        names = tuple(sorted({row[name] for row in rows} - {""}))
        code = {text: i for i, text in enumerate(names)}
        codes = np.array([code.get(row[name], -1) for row in rows], np.int32)
        columns[name] = CategoryColumn(dictionary=names, codes=codes)
    return columns


def measure(report: Report, folder: Path) -> None:
    """Feed reference and later rows in batches of 1,000; what was found since the incident, and before it."""
    parts = []
    for part in ("reference", "analysis"):
        with lzma.open(folder / f"synthetic_car_loan_{part}.csv.xz", "rt", encoding="utf-8") as file:
            parts.append(list(csv.DictReader(file)))
    truth = json.loads((folder / "truth.json").read_text())["main"]
    rows = [*parts[0], *parts[1]]
    incident = (len(parts[0]) + truth["incident_start_row"]) // ROWS
    state, named, alarms = start("bench/mark"), dict[str, int](), dict[str, int]()
    for n in range(len(rows) // ROWS):
        state, found = feed(state, n, _columns(rows[n * ROWS : (n + 1) * ROWS]), Policy())
        for column, _, alarm in found:
            alarms.setdefault(alarm, n)
            named.setdefault(column, int(alarm))
    early = sum(n < incident for n in alarms.values())
    since = sorted(n for n in alarms.values() if n >= incident)
    drifted = [name for name in truth["drifted_features"] if named.get(name, -1) >= incident]
    stable = [name for name in truth["stable_features"] if name in named]
    delay = since[0] - incident if since else np.inf
    report.say(
        f"carloan: told {delay} batches after the first of the incident; {early} alarms in {incident} batches before it"
    )
    report.say(f"  drifted features named {len(drifted)} of 4; stable ones named {len(stable)} of 3; {named}")
    report.add("carloan: batches from the first of the incident to the one that tells", delay, 1)
    report.add("carloan: alarms before the incident", early, 0)
    report.add("carloan: drifted features named", len(drifted), 4, least=True)
    report.add("carloan: stable features named", len(stable), 0)
