"""What an incident report says, whatever it is written in."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.console import RenderableType

from detectors.finding import Finding
from detectors.judgement import ColumnProfile
from diagnosis.alert import Alert, Hop, Verdict
from streams.reading.alert import Moment, around, cause_lines, impact_rows, moments, rejected_row, state_of, suspect_row
from streams.reading.histogram import Histogram, histogram, moved_categories
from streams.reading.measures import duration, number, share
from streams.reading.words import MATCH, VERDICT, harmless

MOVED_SHOWN = 40
HOPS_SHOWN = 60
RATES = frozenset(
    {
        "missing_rate",
        "category_rate",
        "category_mix",
        "new_category",
        "out_of_range",
        "non_finite",
        "extreme",
        "feature_miss_rate",
        "error_rate",
    }
    | {"calibration", "interval_coverage"}
)
STATISTIC = {
    "missing_rate": "share of missing values",
    "location": "mean",
    "mean": "mean",
    "scale": "spread",
    "skew": "shape",
    "tail": "tails",
    "category_rate": "share of categories",
    "category_mix": "mixture of rarer categories",
    "new_category": "share of new categories",
    "distinct": "distinct values",
    "out_of_range": "share out of range",
    "non_finite": "share not finite",
    "extreme": "share too large or too small",
    "calibration": "how often scores are right",
    "residual_bias": "mean error",
    "residual_scale": "spread of errors",
    "interval_coverage": "share inside the predicted intervals",
    "feature_miss_rate": "share of features not found",
}

Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One statistic before and after; numbers only where there are some, as they are and as they are told."""

    subject: str
    what: str
    sentence: str
    before: float | None
    after: float | None
    before_told: str
    after_told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """One hop of the path."""

    name: str
    batch_id: str
    verdict: Verdict
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A report's parts in their order; every text is harmless on a terminal, none is escaped for a format."""

    title: str
    severity: str
    standing: str
    summary: tuple[str, ...]
    facts: Rows
    next_steps: tuple[str, ...]
    cause: tuple[str, ...]
    column: str
    histogram: Histogram | None
    categories: tuple[tuple[str, float, float], ...]
    timeline: tuple[Moment, ...]
    onset: int
    path: tuple[Passed, ...]
    path_left: int
    moved: tuple[Moved, ...]
    moved_left: int
    reached: Rows
    considered: Rows
    around: Rows


def incident(alert: Alert, profile: ColumnProfile | None = None) -> Incident:
    """The report on an alert. profile: of the cause's column in the first bad batch."""
    ordered = sorted(alert.symptoms, key=lambda finding: (finding.onset_earliest, -finding.evidence_nats))
    return Incident(
        title=harmless(alert.title),
        severity=alert.severity.value,
        standing=harmless(f"{state_of(alert)}, revision {alert.revision}"),
        summary=tuple(line for line in harmless(alert.summary).splitlines() if line.strip()),
        facts=tuple((name, harmless(value)) for name, value in _facts(alert) if value),
        next_steps=tuple(map(harmless, alert.next_steps)),
        cause=tuple(str(line) for line in cause_lines(alert)) + tuple(map(harmless, alert.cause.evidence)),
        column=harmless(profile.name) if profile else "",
        histogram=histogram(profile) if profile else None,
        categories=tuple((harmless(name), before, after) for name, before, after in moved_categories(profile))
        if profile
        else (),
        timeline=moments(alert),
        onset=alert.onset.earliest,
        path=tuple(_passed(hop, alert.pipeline) for hop in alert.path[:HOPS_SHOWN]),
        path_left=max(0, len(alert.path) - HOPS_SHOWN),
        moved=tuple(map(_moved, ordered[:MOVED_SHOWN])),
        moved_left=max(0, len(ordered) - MOVED_SHOWN),
        reached=_plain(impact_rows(alert)),
        considered=_plain([*map(suspect_row, alert.suspects), *map(rejected_row, alert.rejected)]),
        around=_plain(around(alert)),
    )


def _categories(profile: ColumnProfile | None) -> tuple[tuple[str, float, float], ...]:
    found = moved_categories(profile) if profile else ()
    return tuple((harmless(name), before, after) for name, before, after in found)


def _plain(rows: Iterable[tuple[RenderableType, ...]]) -> Rows:
    return tuple(tuple(str(cell) for cell in row) for row in rows)


def _facts(alert: Alert) -> Iterator[tuple[str, str]]:
    yield "alert", alert.alert_id
    yield "pipeline", f"{alert.pipeline} ({alert.environment})"
    yield "owner", alert.owner or ""
    noticed = max(0, alert.detected_at - alert.onset.earliest)
    yield "noticed after", duration(noticed)
    if alert.resolved_at is not None:
        yield "lasted", duration(alert.resolved_at - alert.onset.earliest)


def _passed(hop: Hop, pipeline: str) -> Passed:
    name = hop.dataset if hop.pipeline == pipeline else f"{hop.pipeline}/{hop.dataset}"
    if hop.stage and hop.stage != hop.dataset:
        name = f"{name} ({hop.stage})"
    told = ", matched ".join(part for part in (VERDICT[hop.verdict], MATCH[hop.match]) if part)
    return Passed(name=harmless(name), batch_id=harmless(hop.batch_id), verdict=hop.verdict, told=told)


def _moved(finding: Finding) -> Moved:
    return Moved(
        subject=harmless(finding.subject),
        what=harmless(_what(finding)),
        sentence=harmless(finding.sentence),
        before=finding.expected,
        after=finding.observed,
        before_told=_told(finding.expected, finding.statistic),
        after_told=_told(finding.observed, finding.statistic),
    )


def _what(finding: Finding) -> str:
    """Which statistic it is, or the whole claim where there are not two numbers that make it."""
    if finding.sentence and (finding.expected is None or finding.observed is None):
        return finding.sentence
    of_scores = finding.column is None and finding.statistic.startswith("score_")
    name = finding.statistic.removeprefix("score_") if of_scores else finding.statistic
    place = "scores: " if of_scores else f"{finding.column}: " if finding.column else ""
    segment = f" where {finding.segment}" if finding.segment else ""
    return f"{place}{STATISTIC.get(name, name.replace('_', ' '))}{segment}"


def _told(value: float | None, statistic: str) -> str:
    if value is None or value != value:
        return "-"
    return share(value) if statistic.removeprefix("score_") in RATES and 0 <= value <= 1 else number(value)
