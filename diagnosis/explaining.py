"""Whether a parent's deviation explains a child's: by the mechanism of the stage, else by presence and time."""

from dataclasses import dataclass

import numpy as np

from diagnosis.copies import copied
from diagnosis.further import FURTHER_SHIFT
from diagnosis.identity import ABSENCE, TIMING
from diagnosis.lineage import Lineage
from diagnosis.mechanism import Mechanism, learn, pairs_before, predict
from diagnosis.precedence import Precedence
from diagnosis.retest import Deviation, Retest, series
from diagnosis.state import NodeKind
from diagnosis.steps import Step, changed_here

VOLUME = frozenset(
    {"rows", "duplicate_batch", "empty_batch", "incomplete_batch", "row_count_mismatch", "silence", "gap", "window_gap"}
    | {"window_overlap", "out_of_order"}
)
HEALTH = frozenset({"latency", "error_rate", "feature_latency"})
FOLLOWS = {
    "feature_age": frozenset({"feature_age", "silence", "empty_batch"}) | TIMING,
    "feature_miss_rate": frozenset({"silence", "rows", "empty_batch", "incomplete_batch", "column_removed"}),
    "feature_latency": frozenset[str](),
    "latency": frozenset({"rows"}),
    "serving_skew": frozenset[str](),
    FURTHER_SHIFT: frozenset[str](),
    "silence": frozenset({"silence"}),
    "lateness": frozenset({"silence"}) | TIMING,
    "column_removed": frozenset({"column_removed"}),
    "column_added": frozenset({"column_added"}),
    "column_retyped": frozenset({"column_retyped"}),
    "duplicate_batch": frozenset({"duplicate_batch"}),
}
"""What alone can explain a statistic of a child; statistics not listed follow the rules of ``_presence``."""
_SHARE = 0.35  # of a child's shift that the parents' must predict
_FOCUSED = 3.0  # standard errors, for the one to three regressors that the mechanism names
PLAIN = 8.0  # standard errors that are as good as an alarm
_WHOLE = 0.95  # R² above which a mechanism names all that a statistic follows
_LEARNT = 0.36  # R² below which a mechanism is not believed


@dataclass(frozen=True, slots=True)
class Seen:
    """How a parent deviates, strongest first, without what came later, and what tells whether anything did."""

    deviations: tuple[Deviation, ...]
    before: Precedence


def mechanism_of(retest: Retest, step: Step) -> Mechanism | None:
    """Return what a step's statistic follows by what was learnt before its first bad batch, None if that is unknown."""
    focus = step.focus
    if focus is None or not step.batches or focus.statistic in FOLLOWS:
        return None
    pairs = pairs_before(retest.lineage, step.batches[0])
    mechanism = learn(retest.lineage, pairs, focus.column, focus.statistic, retest.policy)
    return mechanism if mechanism is not None and mechanism.explained >= _LEARNT else None


def explanations(
    retest: Retest, step: Step, parent: Step, seen: Seen, mechanism: Mechanism | None
) -> list[tuple[int, Deviation]]:
    """Return how well each deviation of a parent explains the child's, 3 best; nothing if it does not."""
    found = seen.deviations
    if mechanism is not None:
        inherited = [one for one in _predicted(retest, step, parent, mechanism) if seen.before.admits(one)]
        if inherited:
            return [(3, one) for one in inherited]
        found = tuple(one for one in found if _open(retest.lineage, mechanism, parent.node, step, one))
    return _presence(retest, step, parent, found)


def _open(lineage: Lineage, mechanism: Mechanism, parent: str, step: Step, one: Deviation) -> bool:
    """Tell whether a deviation can matter although the mechanism names others: its column does, or it never varied.

    An alarm upstream, or what is about to be one, is rather the cause than a coincidence, unless the stage itself was
    changed at that moment and the mechanism leaves no room for it.
    """
    room = mechanism.explained < _WHOLE or not changed_here(lineage, step)
    if (one.finding is not None or one.size >= PLAIN) and room:
        return True
    assert step.focus is not None
    if step.focus.statistic == "distinct" and one.statistic in VOLUME:  # counted per row: by arithmetic, not by habit
        return True
    columns = {regressor.column for regressor in mechanism.regressors if regressor.parent == parent}
    known = (parent, one.column, one.statistic) in mechanism.considered
    return not known or one.column in columns or (one.column != "" and one.column == step.focus.column)


def _predicted(retest: Retest, step: Step, parent: Step, mechanism: Mechanism) -> list[Deviation]:
    """Return the regressors at this parent, if they moved and what they predict is a good part of the child's shift."""
    focus = step.focus
    assert focus is not None
    batches = step.batches[: retest.policy.retest_batches]
    actual = series(retest.lineage, step.node, batches, focus.column, focus.statistic)
    predicted = predict(retest.lineage, mechanism, batches)
    both = np.isfinite(actual) & np.isfinite(predicted)
    if not both.any():
        return []
    share = float(predicted[both].mean()) / (float(actual[both].mean()) or 1e-9)
    explained = []
    for regressor in mechanism.regressors:
        if regressor.parent != parent.node:
            continue
        strength = retest.strength(parent.node, parent.batches, regressor.column, regressor.statistic)
        if strength is None or abs(strength) < _FOCUSED:
            continue
        if share >= _SHARE or abs(strength) >= retest.critical(100):
            explained.append(Deviation(column=regressor.column, statistic=regressor.statistic, strength=strength))
    return explained


def _presence(retest: Retest, step: Step, parent: Step, found: tuple[Deviation, ...]) -> list[tuple[int, Deviation]]:
    """Compare presence and time where no mechanism is known."""
    focus = step.focus
    assert focus is not None
    if focus.statistic in FOLLOWS:
        kept = FOLLOWS[focus.statistic]
        return [
            (2 if one.column == focus.column else 1, one)
            for one in found
            if one.statistic in kept and (one.column in ("", focus.column) or focus.column == "")
        ]
    found = tuple(one for one in found if one.statistic not in HEALTH)
    if focus.column and any(
        has_column(retest.lineage, key, focus.column) for key in retest.lineage.parent_keys(step.node)
    ):
        return _same_column(retest, step, found) or [(2, one) for one in copied(retest, step, parent)]
    return [(_rank(focus, one), one) for one in found]


def _rank(focus: Deviation, one: Deviation) -> int:
    alike = one.column == focus.column and (one.statistic == focus.statistic or bool(focus.column))
    return 2 if alike else 1


def _same_column(retest: Retest, step: Step, found: tuple[Deviation, ...]) -> list[tuple[int, Deviation]]:
    """A parent has the column too: it must deviate itself or be absent, rows come or gone, or all began together."""
    focus, lineage = step.focus, retest.lineage
    assert focus is not None
    same = [(2, one) for one in found if one.column == focus.column or one.statistic in ABSENCE]
    if same:
        return same
    volume = [(1, one) for one in found if one.statistic in VOLUME]
    if volume and focus.statistic in ("missing_rate", "rows", "distinct", "category_rate", "category_mix"):
        return volume
    copied = lineage.nodes[step.node].kind is NodeKind.MODEL
    if copied or changed_here(lineage, step):
        return []
    return [(0, one) for one in found if one.finding is not None]


def has_column(lineage: Lineage, key: str, column: str) -> bool:
    """Tell whether a node has, or lately had, a column of this name."""
    return column in columns_of(lineage, key)


def columns_of(lineage: Lineage, key: str) -> frozenset[str]:
    """Return the columns that a node has, or lately had."""
    layouts = lineage.nodes[key].layouts.values()
    return frozenset(name for layout in layouts for name in (*layout.column, *layout.profile))
