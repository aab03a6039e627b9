"""What an alert says to a tired person: what broke, since when, where it began, how sure, what to do first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from detectors.finding import Finding

from diagnosis.alert import Cause, CauseKind, Hop, Impact, LastGood, Micros, Onset, StageOfDiagnosis, Status, Verdict

_TITLES: Mapping[CauseKind, str] = {
    CauseKind.UNKNOWN: "{what} changed at {component}; cause unknown",
    CauseKind.SOURCE_DATA: "source data of {component} changed: {what}",
    CauseKind.SCHEMA_CHANGE: "schema of {component} changed: {what}",
    CauseKind.CODE_CHANGE: "code change in {component} broke {what}",
    CauseKind.CONFIG_CHANGE: "configuration change in {component} broke {what}",
    CauseKind.FEATURE_STALENESS: "features are stale: {component}",
    CauseKind.FEATURE_STORE: "feature store fails {component}",
    CauseKind.JOIN: "join {component} is broken: {what}",
    CauseKind.DUPLICATION: "{component} holds duplicated data",
    CauseKind.LATENESS: "{component} gets late or out-of-order data",
    CauseKind.SILENCE: "{component} has stopped",
    CauseKind.MODEL_CHANGE: "new version of model {component} behaves differently: {what}",
    CauseKind.CONCEPT_SHIFT: "the world changed for {component}: outcomes no longer follow its scores",
    CauseKind.CALIBRATION: "{component} is no longer calibrated",
    CauseKind.SERVING_SKEW: "{component} is served other features than its batches hold: {what}",
    CauseKind.SERVING_HEALTH: "serving of {component} is unwell: {what}",
}

_STEPS: Mapping[CauseKind, tuple[str, ...]] = {
    CauseKind.UNKNOWN: (
        "Look at {component} first: it is the earliest place where the change is seen.",
        "If you know of a change there, announce it; if this is the new normal, accept the alert.",
    ),
    CauseKind.SOURCE_DATA: (
        "Ask whoever delivers {component} what changed around {since}.",
        "Hold back or quarantine batches of {component} after {good} until it is clear.",
    ),
    CauseKind.SCHEMA_CHANGE: ("Restore the former columns of {component}, or adapt what reads them.",),
    CauseKind.CODE_CHANGE: ("Compare the code of {component} before and after {since}.",),
    CauseKind.CONFIG_CHANGE: ("Compare the configuration of {component} before and after {since}.",),
    CauseKind.FEATURE_STALENESS: ("Check the job that refreshes the features of {component}, then re-run it.",),
    CauseKind.FEATURE_STORE: ("Check the feature store's health, and the keys that {component} asks for.",),
    CauseKind.JOIN: ("Compare the join keys on both sides of {component}: format, uniqueness, missing keys.",),
    CauseKind.DUPLICATION: ("Remove what {component} holds twice and re-run what was made from it.",),
    CauseKind.LATENESS: ("Check the schedule that feeds {component}; re-run what was made without the late data.",),
    CauseKind.SILENCE: ("Check that the job behind {component} runs and can write.",),
    CauseKind.MODEL_CHANGE: ("Compare both versions of {component} on the same inputs.",),
    CauseKind.CONCEPT_SHIFT: (
        "No rollback will help: inputs, versions and scores are as they were.",
        "Retrain {component} on outcomes since {since}; until then treat its scores with care.",
    ),
    CauseKind.CALIBRATION: ("Recalibrate {component} on recent outcomes.",),
    CauseKind.SERVING_SKEW: ("Compare how features are computed for serving {component} with how its batches are.",),
    CauseKind.SERVING_HEALTH: ("Check the serving processes of {component}: errors, load, hosts.",),
}


_NOT_SCORED_AGAIN = frozenset({CauseKind.CONCEPT_SHIFT, CauseKind.SERVING_HEALTH})
_SUBJECTS: Mapping[str, str] = {
    "rows": "number of rows",
    "gap": "time between batches",
    "score_location": "mean of the scores",
    "score_scale": "spread of the scores",
    "score_skew": "shape of the scores",
    "score_tail": "tails of the scores",
    "residual_bias": "mean error",
    "residual_scale": "spread of the errors",
    "feature_miss_rate": "share of features not found",
    "serving_skew": "features served",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Title, summary and next steps of one revision."""

    title: str
    summary: str
    next_steps: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Everything the words are made from."""

    status: Status
    stage: StageOfDiagnosis
    cause: Cause
    onset: Onset
    last_good: LastGood | None
    path: tuple[Hop, ...]
    symptoms: tuple[Finding, ...]
    impact: Impact
    rejected: int = 0
    resolved_at: Micros | None = None


def moment(at: Micros) -> str:
    """Return a time as people in all zones read it."""
    return datetime.fromtimestamp(at / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def span(micros: Micros) -> str:
    """Return a duration as people say it."""
    seconds = micros / 1e6
    for unit, size in (("days", 86_400.0), ("hours", 3_600.0), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def tell(story: Story) -> Texts:
    """Put a diagnosis into words."""
    cause = story.cause
    words = {
        "component": cause.component,
        "what": _what(story),
        "since": moment(story.onset.latest),
        "good": f"batch {story.last_good.batch_id}" if story.last_good else moment(story.onset.earliest),
    }
    title = _TITLES[cause.kind].format(**words)
    if cause.before is not None or cause.after is not None:
        title = f"{title} ({cause.before or '?'} → {cause.after or '?'})"
    if cause.segment is not None:
        title = f"{title}, only where {cause.segment}"
    steps = [step.format(**words) for step in _STEPS[cause.kind]]
    if cause.change_id is not None and cause.kind is not CauseKind.SOURCE_DATA:
        steps.insert(0, _rollback(cause))
    if story.impact.predictions_affected and cause.kind not in _NOT_SCORED_AGAIN:
        steps.append(f"Score the {story.impact.predictions_affected:,} affected predictions again once it is fixed.")
    if not title.startswith(cause.component):  # a name stays as it is written
        title = title[:1].upper() + title[1:]
    return Texts(title=title, summary=" ".join(_sentences(story)), next_steps=tuple(steps))


def _what(story: Story) -> str:
    if story.cause.column:
        return f"column {story.cause.column}"
    here = [finding for finding in story.symptoms if finding.subject.endswith(f"/{story.cause.component}")]
    shown = here or list(story.symptoms)
    columns = sorted({finding.column for finding in shown if finding.column})
    if columns:
        return f"column {columns[0]}" if len(columns) == 1 else f"{len(columns)} columns"
    return _SUBJECTS.get(shown[0].statistic, shown[0].statistic.replace("_", " ")) if shown else story.cause.component


def _rollback(cause: Cause) -> str:
    if cause.before is not None:
        return f"Roll {cause.component} back to {cause.before} (change {cause.change_id})."
    return f"Undo change {cause.change_id} at {cause.component}."


def _sentences(story: Story) -> list[str]:
    shown = _telling(story)
    lines = [f"{_name(finding)}: {_ended(finding.sentence)}" for finding in shown]
    more = len(story.symptoms) - len(shown)
    if more > 0:
        lines.append(f"{more} further finding{'s belong' if more > 1 else ' belongs'} to it.")
    lines.append(_since(story))
    lines.append(_began(story))
    reasons = 2 if story.cause.change_id is not None else 1
    lines.extend(_ended(line) for line in story.cause.evidence[:reasons])
    if story.rejected:
        noun = "change was" if story.rejected == 1 else "changes were"
        lines.append(f"{story.rejected} other {noun} ruled out.")
    lines.append(_reach(story.impact))
    if story.status is Status.RESOLVED and story.resolved_at is not None:
        lines.append(f"Back to normal; resolved {moment(story.resolved_at)}.")
    return lines


def _telling(story: Story) -> list[Finding]:
    """Return the strongest finding where it began, and the strongest about something else where it ended."""
    ordered = sorted(story.symptoms, key=lambda one: (-min(one.evidence_nats, 1e300), one.subject, one.statistic))
    ends = [story.cause.component, *(hop.dataset for hop in reversed(story.path))]
    shown: list[Finding] = []
    for name in ends:
        here = [
            one for one in ordered if _name(one) == name and one.sentence not in {known.sentence for known in shown}
        ]
        shown.extend(here[:1])
    return [*shown, *(one for one in ordered if one not in shown)][:2]


def _name(finding: Finding) -> str:
    return finding.subject.rpartition("/")[2]


def _ended(line: str) -> str:
    return line if line.endswith((".", "!", "?")) else f"{line}."


def _since(story: Story) -> str:
    onset = story.onset
    batch = f" (first bad batch {onset.batch_id})" if onset.batch_id else ""
    good = f"; last good batch {story.last_good.batch_id}" if story.last_good else ""
    when = f"between {moment(onset.earliest)} and {moment(onset.latest)}"
    if moment(onset.earliest) == moment(onset.latest):
        when = f"at {moment(onset.latest)}"
    return f"It began {when}{batch}{good}."


def _began(story: Story) -> str:
    cause = story.cause
    route = [hop.dataset for hop, before in zip(story.path, (None, *story.path), strict=False) if _new(hop, before)]
    spread = f", and it spread along {' → '.join(route)}" if len(route) > 1 else ""
    if any(hop.verdict is Verdict.MASKED for hop in story.path):
        hidden = ", ".join(hop.dataset for hop in story.path if hop.verdict is Verdict.MASKED)
        spread += f" ({hidden} hid it)"
    if cause.kind is CauseKind.UNKNOWN:
        return f"The earliest place it is seen is {cause.component}{spread}; what caused it is not known."
    sure = "so far this is a suspicion" if story.stage is StageOfDiagnosis.SUSPECTED else f"{cause.confidence:.0%} sure"
    return f"Its origin is {cause.component} ({sure}){spread}."


def _new(hop: Hop, before: Hop | None) -> bool:
    """Tell whether a hop has another name than the one before: a model may be called as its features are."""
    return before is None or hop.dataset != before.dataset


def _reach(impact: Impact) -> str:
    if not impact.predictions_affected:
        return "No prediction is known to be reached."
    share = "" if impact.share_of_predictions is None else f" ({impact.share_of_predictions:.0%} of all since it began)"
    first = f", first {impact.first_prediction_id}" if impact.first_prediction_id else ""
    reached = f"{impact.predictions_affected:,} predictions of {whose(impact)} were reached{share}{first}."
    if not impact.attribution:
        return reached
    carried = ", ".join(f"{one.column} ({one.share:.0%})" for one in impact.attribution)
    return f"{reached} What moved their scores: {carried}."


def whose(impact: Impact) -> str:
    """Return the models that were reached, those of other pipelines with their pipelines."""
    away = {f"{one.pipeline}/{model}" for one in impact.elsewhere for model in one.models}
    home = ", ".join(model for model in impact.models if model not in away)
    others = (f"{', '.join(one.models)} in pipeline {one.pipeline}" for one in impact.elsewhere)
    return " and of ".join(part for part in (home, *others) if part)
