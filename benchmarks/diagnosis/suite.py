"""Simulated lives: the tables and bars of the own suite."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from benchmarks.diagnosis.lives import Case, Setting, cases
from benchmarks.diagnosis.peers import PEERS
from benchmarks.diagnosis.scoring import Score, reliability, score
from benchmarks.report import Report

BARS = {Setting.FULL: (0.95, 0.99), Setting.WEAK: (0.85, 0.95)}


def _share(scores: Sequence[Score], holds: Callable[[Score], bool | None]) -> float:
    held = [value for one in scores if (value := holds(one)) is not None]
    return float(np.mean(held)) if held else float("nan")


def _at(ranks: Sequence[int | None], most: int) -> float:
    return float(np.mean([rank is not None and rank <= most for rank in ranks]))


def measure(report: Report, seed: int, quick: bool) -> None:
    """Live all lives, as many at a time as there are processors, and say how each ended."""
    todo = cases(seed, quick)
    scores: list[Score] = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for one in pool.map(score, todo):
            scores.append(one)
            report.say(f"  {_title(one.case):34} {one.said:46} {_details(one)}")
    for setting in BARS:
        held = [one for one in scores if one.case.setting is setting]
        if held:
            _causes(report, setting, held)
    _silence(report, scores)
    _confidence(report, scores)


def _title(case: Case) -> str:
    return f"{case.setting}: {' + '.join(case.faults) or (f'no. {case.deploy}' if case.setting == 'deploy' else '')}"


def _details(one: Score) -> str:
    told = f"alerts {one.alerts}"
    if one.case.setting in BARS:
        told += f", place {one.rank or '-'}, first {one.first or '-'}, right {one.right or '-'}"
        told += f", onset {'-' if one.onset_error is None else f'{one.onset_error:+.0f}'}"
        told += f", predictions {one.reached}" if one.reached else ""
    return told


def _causes(report: Report, setting: Setting, scores: Sequence[Score]) -> None:
    first, third = BARS[setting]
    report.say(f"{setting} setting, {len(scores)} lives: share with the right place")
    report.say(f"  {'':20} {'top-1':>7} {'top-3':>7}")
    ours = [_at([one.rank for one in scores], most) for most in (1, 3)]
    report.add(f"{setting}: top-1", ours[0], first, least=True)
    report.add(f"{setting}: top-3", ours[1], third, least=True)
    report.say(f"  {'Headwater':20} {ours[0]:7.2f} {ours[1]:7.2f}")
    for peer in PEERS:
        theirs = [_at([one.peers.get(peer) for one in scores], most) for most in (1, 3)]
        report.say(f"  {peer:20} {theirs[0]:7.2f} {theirs[1]:7.2f}")
        report.add(f"{setting}: top-1 of {peer}", theirs[0], None)
        report.add(f"{setting}: top-3 of {peer}", theirs[1], None)
    _given_place(report, setting, scores)


def _given_place(report: Report, setting: Setting, scores: Sequence[Score]) -> None:
    bar = 1.0 if setting is Setting.FULL else None
    rows: list[tuple[str, float, float | None, bool]] = [
        ("kind right, given the place", _share(scores, lambda one: one.kind), 0.9, True),
        ("column right, given the place", _share(scores, lambda one: one.column), None, True),
        ("kind and place right in the end", _share(scores, lambda one: one.rank == 1 and bool(one.kind)), None, True),
        ("one fault, one alert", _share(scores, lambda one: one.alerts == 1), 0.98 if bar else None, True),
        ("alerts per fault", float(np.mean([one.alerts for one in scores])), None, False),
        ("onset error, median of sizes, batches", _median([one.onset_error for one in scores]), None, False),
        ("batches to the first revision, median", _median([one.first for one in scores]), None, False),
        ("batches to the right revision, median", _median([one.right for one in scores]), None, False),
        ("never right", _share(scores, lambda one: one.right is None), None, False),
    ]
    named = [one.reached for one in scores if one.reached and one.rank == 1]
    said, true, both = (sum(each[i] for each in named) for i in range(3))
    rows.append(("affected predictions, precision", both / max(said, 1), bar, True))
    rows.append(("affected predictions, recall", both / max(true, 1), bar, True))
    exact = _share([one for one in scores if one.reached], lambda one: one.reached and one.counted == one.reached[1])
    rows.append(("affected predictions, count exact at the end", exact, None, True))
    for name, value, limit, least in rows:
        report.say(f"  {name:46} {value:6.3f}")
        report.add(f"{setting}: {name}", value, limit, least=least)


def _median(values: Sequence[float | None]) -> float:
    known = [abs(value) for value in values if value is not None]
    return float(np.median(known)) if known else float("nan")


def _silence(report: Report, scores: Sequence[Score]) -> None:
    calm = [one for one in scores if one.case.setting in (Setting.HEALTHY, Setting.DEPLOY)]
    value = _share(calm, lambda one: one.quiet)
    report.say(f"{len(calm)} healthy lives and harmless deploys: no false cause in {value:.2f}")
    report.add("specificity: healthy lives and harmless deploys", value, 0.95, least=True)
    blamed = _share(scores, lambda one: one.blamed)
    told = sum(one.blamed is not None for one in scores)
    report.say(f"a harmless deploy near the onset, or alone, is blamed in {blamed:.3f} of {told} lives")
    report.add("harmless deploy blamed", blamed, 0.02)
    early = _share(scores, lambda one: one.quiet if one.case.setting in BARS else None)
    report.add("lives without an alert before their fault", early, None)
    pairs = [one for one in scores if one.case.setting is Setting.PAIR]
    two = _share(pairs, lambda one: one.alerts == 2 and one.found == 2)
    report.say(f"{len(pairs)} lives with two faults at once: two alerts, both places right, in {two:.2f}")
    report.add("two faults, two alerts", two, 0.95, least=True)


def _confidence(report: Report, scores: Sequence[Score]) -> None:
    report.say("confidence against kind and place being right")
    report.say(f"  {'confidence':>12} {'lives':>6} {'mean':>6} {'right':>6}")
    for span, lives, mean, right in reliability(scores):
        report.say(f"  {span:>12} {lives:6} {mean:6.2f} {right:6.2f}")
        report.add(f"share right at confidence {span}, said {mean:.2f}", right, None)
