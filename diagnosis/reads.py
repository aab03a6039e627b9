"""Reads of a feature store, as the gauges of a model's windows count them."""

from collections.abc import Mapping, Sequence

from diagnosis.state import Batch

_MORE = 0.01  # of the reads: fewer are not what features are missing for


def missed_more(before: Sequence[Batch], since: Sequence[Batch]) -> str | None:
    """Return the first feature view of which more reads find nothing in ``since`` than in ``before``, None if of none.

    The reads of a window are too few to alarm by themselves as soon as the features they leave missing do.
    """
    usual, now = _missed(before), _missed(since)
    return next((view for view in sorted(now) if now[view] - usual.get(view, 0.0) > _MORE), None)


def _missed(windows: Sequence[Batch]) -> Mapping[str, float]:
    """Return, per feature view, the share of reads in these windows that found nothing."""
    reads: dict[str, dict[str, float]] = {}
    for window in windows:
        for name, value in window.gauges.items():
            kind, _, rest = name.partition("/")
            view, _, result = rest.rpartition("/")
            if kind == "feature_reads":
                counts = reads.setdefault(view, {})
                counts[result] = counts.get(result, 0.0) + value
    return {view: counts.get("miss", 0.0) / max(sum(counts.values()), 1.0) for view, counts in reads.items()}
