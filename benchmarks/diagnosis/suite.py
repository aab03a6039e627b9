"""Simulated lives: the tables and bars of the own suite."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor

import numpy as np

from benchmarks.diagnosis.lives import Setting, cases
from benchmarks.diagnosis.peers import PEERS
from benchmarks.diagnosis.scoring import Score, likeliest_sharpness, reliability, score
from benchmarks.report import Report
from diagnosis.confidence import SHARPNESS

BARS = {Setting.FULL: (0.95, 0.99), Setting.WEAK: (0.85, 0.95)}


def _share(scores: Sequence[Score], holds: Callable[[Score], bool | None]) -> float:
    held = [value for one in scores if (value := holds(one)) is not None]
    return float(np.mean(held)) if held else float("nan")


def _at(ranks: Sequence[int | None], most: int) -> float:
    return float(np.mean([rank is not None and rank <= most for rank in ranks]))


def measure(report: Report, seed: int, quick: bool, pool: Executor) -> None:
    """Live all lives and say how each ended."""
    scores: list[Score] = []
    for one in pool.map(score, cases(seed, quick)):
        scores.append(one)
        report.say(_line(one))
    for setting in BARS:
        _causes(report, setting, [one for one in scores if one.case.setting is setting])
    _families(report, scores)
    _calm(report, scores)
    _pairs(report, scores)
    _repeated(report, scores)
    _confidence(report, scores)


def _line(one: Score) -> str:
    case = one.case
    words = f"  {case.setting} {case.seed} {' + '.join(case.names)}, {one.datasets} datasets: "
    if one.true:
        words += f"{one.true} => "
    words += f"{one.said} | alerts {one.alerts}"
    if case.setting in BARS:
        onset = "-" if one.onset_error is None else f"{one.onset_error:+.0f}"
        words += f", place {one.rank or '-'}, first {one.first or '-'}, right {one.right or '-'}, onset {onset}"
        words += f", predictions {one.reached}" if one.reached else ""
    return words + (f" {''.join(_marks(one))}" if _marks(one) else "")


def _marks(one: Score) -> list[str]:
    """What went wrong, to be searched for."""
    marks = []
    if one.case.setting in BARS:
        marks += ["!place"] * (one.rank != 1) + ["!kind"] * (one.kind is False) + ["!alerts"] * (one.alerts != 1)
        marks += ["!predictions"] * (one.reached is not None and len(set(one.reached)) > 1)
    if one.case.setting is Setting.PAIR:
        marks += ["!pair"] * (one.alerts != 2 or one.found != 2)
    marks += ["!quiet"] * (one.quiet is False) + ["!blamed"] * (one.blamed is True)
    marks += ["!replayed"] * (one.replayed is False) + ["!interleaved"] * (one.interleaved is False)
    return marks


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
    held, others = ([one for one in scores if (one.case.names[0] == "subgroup") is there] for there in (True, False))
    rows: list[tuple[str, float, float | None, bool]] = [
        ("kind right, given the place", _share(scores, lambda one: one.kind), 0.9, True),
        ("column right, given the place", _share(scores, lambda one: one.column), None, True),
        ("subgroup named, given the place, of faults in one", _share(held, lambda one: one.segment), None, True),
        ("none named, given the place, of other faults", _share(others, lambda one: one.segment), None, True),
        ("kind and place right in the end", _share(scores, lambda one: one.rank == 1 and bool(one.kind)), None, True),
        ("one fault, one alert", _share(scores, lambda one: one.alerts == 1), 0.98 if bar else None, True),
        ("alerts per fault", float(np.mean([one.alerts for one in scores])), None, False),
        ("onset error, median of sizes, batches", _median([one.onset_error for one in scores]), None, False),
        ("batches to the first revision, median", _median([one.first for one in scores]), None, False),
        ("batches to the right revision, median", _median([one.right for one in scores]), None, False),
        ("minutes to the first revision, median", _median([one.minutes[0] for one in scores]), None, False),
        ("minutes to the right revision, median", _median([one.minutes[1] for one in scores]), None, False),
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


def _families(report: Report, scores: Sequence[Score]) -> None:
    """Where it fails: a line for each family that does not always come out right."""
    report.say(
        f"by family, where anything failed\n  {'':24} {'lives':>6} {'place':>6} {'kind':>6} {'one':>6} {'exact':>6}"
    )
    told = [one for one in scores if one.case.setting in BARS]
    for name in dict.fromkeys(one.case.names[0] for one in told):
        held = [one for one in told if one.case.names[0] == name]
        shares = (
            _at([one.rank for one in held], 1),
            _share(held, lambda one: one.kind),
            _share(held, lambda one: one.alerts == 1),
            _share(held, lambda one: one.reached and len(set(one.reached)) == 1),
        )
        if any(share < 1 for share in shares):
            report.say(f"  {name:24} {len(held):6} " + " ".join(f"{share:6.2f}" for share in shares))


def _calm(report: Report, scores: Sequence[Score]) -> None:
    calm = [one for one in scores if one.case.setting is Setting.CALM]
    report.say(f"{len(calm)} calm lives: share in which nobody is paged and nothing false is said")
    for name in dict.fromkeys(one.case.names[0] for one in calm):
        held = [one for one in calm if one.case.names[0] == name]
        value = _share(held, lambda one: one.quiet)
        report.say(f"  {name:24} {len(held):6} {value:6.2f}")
        report.add(f"specificity: {name}", value, None)
    report.add("specificity over calm lives", _share(calm, lambda one: one.quiet), 0.95, least=True)
    blamed = _share(scores, lambda one: one.blamed)
    told = sum(one.blamed is not None for one in scores)
    report.say(f"a harmless deploy near the onset, or alone, is blamed in {blamed:.3f} of {told} lives")
    report.add("harmless deploy blamed", blamed, 0.02)
    early = _share(scores, lambda one: one.quiet if one.case.setting in BARS else None)
    report.say(f"no alert before the fault in {early:.3f} of the lives with one")
    report.add("lives without an alert before their fault", early, None)


def _pairs(report: Report, scores: Sequence[Score]) -> None:
    for name, apart in (("at once", False), ("one after the other", True)):
        pairs = [one for one in scores if one.case.setting is Setting.PAIR and one.apart is apart]
        two = _share(pairs, lambda one: one.alerts == 2 and one.found == 2)
        report.say(f"{len(pairs)} lives with two faults {name}: two alerts, both places right, in {two:.2f}")
        report.add(f"two faults {name}, two alerts", two, None)
    pairs = [one for one in scores if one.case.setting is Setting.PAIR]
    two = _share(pairs, lambda one: one.alerts == 2 and one.found == 2)
    report.add("two faults, two alerts", two, 0.95, least=True)


def _repeated(report: Report, scores: Sequence[Score]) -> None:
    again = sum(one.replayed is not None for one in scores)
    for name, value in (
        ("same log folded again and across a restart: identical alerts", _share(scores, lambda one: one.replayed)),
        ("same events, topics interleaved otherwise: same causes", _share(scores, lambda one: one.interleaved)),
    ):
        report.say(f"{name}, in {value:.2f} of {again} lives")
        report.add(name, value, 1.0, least=True)


def _confidence(report: Report, scores: Sequence[Score]) -> None:
    report.say("confidence against kind and place being right")
    report.say(f"  {'confidence':>12} {'lives':>6} {'mean':>6} {'right':>6}")
    table = list(reliability(scores))
    for span, lives, mean, right in table:
        report.say(f"  {span:>12} {lives:6} {mean:6.2f} {right:6.2f}")
        report.add(f"share right at confidence {span}, said {mean:.2f}", right, None)
    off = sum(lives * abs(mean - right) for _, lives, mean, right in table) / max(sum(row[1] for row in table), 1)
    report.say(f"expected calibration error {off:.3f}")
    report.say(f"sharpness {SHARPNESS:.1f}; on these lives {likeliest_sharpness(scores):.1f} would be likeliest")
    report.add("expected calibration error of the confidence", off, 0.05)
