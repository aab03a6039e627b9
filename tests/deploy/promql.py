"""Reads, as far as a test needs it, which series and labels a PromQL expression names."""

import re
from collections.abc import Iterator

from streams.metrics import DEFINITIONS

FROM_PROMETHEUS = {"job", "instance"}
LABELS = {one.name: set(one.labels) for one in DEFINITIONS} | {"up": set(), "ALERTS": {"alertname", "alertstate"}}
HISTOGRAMS = {one.name for one in DEFINITIONS if one.kind == "histogram"}
COUNTERS = {one.name for one in DEFINITIONS if one.kind == "counter"}

SELECTOR = re.compile(r"\b(headwater_\w+|up|ALERTS)\b(?:\{([^}]*)\})?(\[)?")
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")


def complaints(expression: str) -> Iterator[str]:
    """What names a metric or a label that there is not, or takes a counter for a gauge."""
    carried: set[str] = set()
    for name, matchers, is_range in SELECTOR.findall(GROUPING.sub("", expression)):
        base, extra = _base(name)
        if base not in LABELS:
            yield f"no metric is called {name}"
            continue
        labels = LABELS[base] | FROM_PROMETHEUS | extra
        carried |= labels
        yield from (f"{name} has no label {label}" for label in MATCHER.findall(matchers) if label not in labels)
        if base in COUNTERS and not is_range and "rate(" in expression and "unless" not in expression:
            yield f"{name} is a counter: take its rate"
    for group in GROUPING.findall(expression):
        wanted = {label.strip() for label in group.split(",") if label.strip()}
        yield from (f"nothing in the expression has the label {label}" for label in wanted - carried)


def labels_left(expression: str) -> set[str]:
    """The labels that the result may carry: those of the last grouping, or of every series."""
    groups = GROUPING.findall(expression)
    if groups:
        return {label.strip() for group in groups for label in group.split(",")}
    return FROM_PROMETHEUS.union(*(LABELS[_base(name)[0]] for name, _, _ in SELECTOR.findall(expression)))


def metrics_in(expression: str) -> set[str]:
    """The metrics named, without the suffixes of histograms."""
    return {_base(name)[0] for name, _, _ in SELECTOR.findall(GROUPING.sub("", expression))}


def _base(name: str) -> tuple[str, set[str]]:
    for suffix, extra in (("_bucket", {"le"}), ("_sum", set()), ("_count", set())):
        base = name.removesuffix(suffix)
        if base != name and base in HISTOGRAMS:
            return base, extra
    return name, set()
