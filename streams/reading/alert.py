"""An alert as a tired person wants to read it: what to do first, then why, then what was ruled out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.text import Text

from detectors.finding import Finding
from diagnosis.alert import (
    Alert,
    Cause,
    CauseKind,
    Elsewhere,
    Hop,
    Impact,
    Match,
    Rejected,
    StageOfDiagnosis,
    Status,
    Verdict,
)
from diagnosis.wording import whose
from streams.reading.layout import bullets, columns, numbered, section, words
from streams.reading.measures import duration, number, offset, share, time
from streams.reading.words import (
    GROUNDING,
    HEADLINE,
    KIND,
    MATCH,
    REJECTION,
    SEVERITY_STYLE,
    VERDICT,
    VERDICT_STYLE,
    harmless,
)

SYMPTOMS_SHOWN = 12
HOPS_SHOWN = 40
UNTOLD = 0.05  # of a shift: less is no matter


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something that happened at an event time (microseconds), and the batch it happened in."""

    at: int
    what: str
    batch: str = ""


def render_alert(alert: Alert, values: RenderableType | None = None) -> RenderableType:
    """The whole alert for a terminal, good from 80 columns on.

    values: of the cause's column, drawn as before and in the first bad batch, where they are known.
    """
    parts: list[RenderableType] = [*_head(alert)]
    if alert.next_steps:
        parts.append(section("What to do", numbered(alert.next_steps)))
    parts.append(section("Where it started", *_cause(alert)))
    if values is not None:
        parts.append(section(f"Values of {harmless(alert.cause.column or '')}", values))
    if alert.path:
        parts.append(section("How it spread", _path(alert)))
    parts.append(section("When (UTC)", columns(_timeline(alert), ratio=2)))
    if alert.symptoms:
        parts.append(section("What moved", *_symptoms(alert.symptoms)))
    parts.append(section("Whom it reached", columns(impact_rows(alert), ratio=1)))
    considered = [*map(suspect_row, alert.suspects), *map(rejected_row, alert.rejected)]
    if considered:
        parts.append(section("What else was considered", columns(considered, ratio=1)))
    known = list(around(alert))
    if known:
        parts.append(section("Around it", columns(known, ratio=1)))
    return Group(*parts)


def _head(alert: Alert) -> Iterator[RenderableType]:
    first = Text.assemble((f" {alert.severity.value} ", SEVERITY_STYLE[alert.severity]), "  ")
    first.append_text(words(alert.title, "bold"))
    yield first
    yield words(f"{state_of(alert)} · revision {alert.revision} · alert {alert.alert_id}", "dim")
    owner = f" · owner {alert.owner}" if alert.owner else ""
    yield words(f"pipeline {alert.pipeline} · {alert.environment}{owner}", "dim")
    if alert.summary:
        yield Text("")
        yield words(alert.summary)


def state_of(alert: Alert) -> str:
    """Whether it lasts, and how far its diagnosis has come."""
    if alert.status is Status.SUPERSEDED:
        return f"superseded by {alert.superseded_by}"
    if alert.status is not Status.FIRING:
        return alert.status.value.lower()
    diagnosed = alert.stage_of_diagnosis is StageOfDiagnosis.DIAGNOSED
    return "firing, diagnosed" if diagnosed else "firing, still being diagnosed"


def _cause(alert: Alert) -> Iterator[RenderableType]:
    yield from cause_lines(alert)
    if alert.cause.evidence:
        yield bullets(alert.cause.evidence)


def cause_lines(alert: Alert) -> Iterator[Text]:
    """The cause, its place, and how sure that is."""
    cause = alert.cause
    headline = HEADLINE[cause.kind].format(cause.component or "no component in particular")
    change = _change(cause)
    yield words(f"{headline}: {change}" if change else headline, "bold")
    where = [f"column {cause.column}" if cause.column else "", _only(alert)]
    if any(where):
        yield words(", ".join(part for part in where if part))
    sure = "" if cause.kind is CauseKind.UNKNOWN else f"{share(cause.confidence)} sure; "
    yield words(f"{sure}{GROUNDING[cause.grounding]}", "dim")


def _only(alert: Alert) -> str:
    """The rows or batches it is limited to, and how much of the shift they hold where that was estimated."""
    cause = alert.cause
    if cause.segment is None:
        return ""
    found = (one for one in alert.symptoms if (one.column, one.held_by) == (cause.column, cause.segment))
    held = next((one.held_share for one in found if one.subject.endswith(f"/{cause.component}")), None)
    return f"only where {cause.segment}" + (f" ({share(held)} of the shift)" if held is not None else "")


def _place(cause: Cause) -> str:
    column = f".{cause.column}" if cause.column else ""
    return f"{cause.component}{column}{f' where {cause.segment}' if cause.segment else ''}"


def _change(cause: Cause) -> str:
    versions = f"{cause.before or '?'} → {cause.after or '?'}" if cause.before or cause.after else ""
    named = f"change {cause.change_id}" if cause.change_id else ""
    return "  ".join(part for part in (versions, named) if part)


def _path(alert: Alert) -> RenderableType:
    hops = alert.path[:HOPS_SHOWN]
    rows = [_hop(hop, i, len(hops), alert.pipeline) for i, hop in enumerate(hops)]
    if len(alert.path) > HOPS_SHOWN:
        rows.append((Text(""), Text(f"… and {len(alert.path) - HOPS_SHOWN} more", style="dim")))
    return columns(rows)


def _hop(hop: Hop, i: int, of: int, pipeline: str) -> tuple[RenderableType, ...]:
    corner = "─" if of == 1 else "┌" if i == 0 else "└" if i == of - 1 else "├"
    introduced = hop.verdict is Verdict.INTRODUCED
    name = hop.dataset if hop.pipeline == pipeline else f"{hop.pipeline}/{hop.dataset}"
    if hop.stage and hop.stage != hop.dataset:
        name = f"{name} ({hop.stage})"
    verdict = words(VERDICT[hop.verdict], VERDICT_STYLE[hop.verdict])
    if MATCH[hop.match]:
        verdict.append(f", {MATCH[hop.match]}", style="dim")
    mark = Text("●" if introduced else corner, style=VERDICT_STYLE[hop.verdict])
    return (mark, words(name, "bold" if introduced else ""), verdict, words(hop.batch_id, "dim"))


def moments(alert: Alert) -> tuple[Moment, ...]:
    """What happened, in the order of event time."""
    onset = alert.onset
    known: list[Moment] = []
    if alert.last_good is not None:
        known.append(Moment(at=alert.last_good.at, what="last good batch", batch=harmless(alert.last_good.batch_id)))
    first_bad = f"first bad batch {harmless(onset.batch_id)}" if onset.batch_id else ""
    span = onset.latest - onset.earliest
    began = f"it began (within {duration(span)})" if span > 0 else "it began"
    known.append(Moment(at=onset.earliest, what=began, batch=first_bad))
    known.append(Moment(at=alert.detected_at, what="Headwater noticed"))
    if alert.resolved_at is not None:
        known.append(Moment(at=alert.resolved_at, what="it was over"))
    return tuple(sorted(known, key=lambda moment: moment.at))


def _timeline(alert: Alert) -> Iterator[tuple[RenderableType, ...]]:
    for moment in moments(alert):
        text = words(moment.what)
        if moment.batch:
            text.append_text(words(f"  {moment.batch}", "dim"))
        yield (Text(time(moment.at)), Text(offset(moment.at, alert.onset.earliest), style="dim"), text)


def _symptoms(findings: Iterable[Finding]) -> Iterator[RenderableType]:
    ordered = sorted(findings, key=lambda finding: (finding.onset_earliest, -finding.evidence_nats))
    shown = ordered[:SYMPTOMS_SHOWN]
    subjects = dict.fromkeys(finding.subject for finding in shown)
    for subject in subjects:
        yield words(subject, "bold")
        yield bullets(symptom(finding) for finding in shown if finding.subject == subject)
    if len(ordered) > len(shown):
        yield Text(f"… and {len(ordered) - len(shown)} more", style="dim")


def symptom(finding: Finding) -> str:
    """A finding in its own words, or in numbers where it has none."""
    if finding.sentence:
        return finding.sentence
    what = f"{finding.statistic} of {finding.column}" if finding.column else finding.statistic
    if finding.observed is None or finding.expected is None:
        return what
    return f"{what}: {number(finding.expected)} → {number(finding.observed)}"


def impact_rows(alert: Alert) -> Iterator[tuple[Text, Text]]:
    """The predictions reached, and what moved their scores."""
    impact = alert.impact
    if not impact.predictions_affected:
        yield (words("no prediction is known to be affected"), Text(""))
        return
    many = f"{impact.predictions_affected:,} predictions of {whose(impact) or 'unknown models'}"
    if impact.share_of_predictions is not None:
        many += f", {share(impact.share_of_predictions)} of all since it began"
    yield (Text("predictions", style="dim"), words(many))
    if impact.first_prediction_id:
        counted = "" if impact.match in (Match.EXACT, Match.UNKNOWN) else f" (counted {MATCH[impact.match]})"
        yield (Text("the first", style="dim"), words(f"{impact.first_prediction_id}{counted}"))
    if impact.elsewhere and len(impact.models) > len(impact.elsewhere[0].models):
        yield from map(_elsewhere, impact.elsewhere)
    if impact.performance_change is not None:
        change = f"{impact.performance_change:+.3g}, estimated"
        if impact.interval is not None:
            change += f"  (between {impact.interval.lower:+.3g} and {impact.interval.upper:+.3g})"
        away = [one for one in impact.elsewhere if one.performance_change == impact.performance_change]
        change += "".join(f", in pipeline {one.pipeline}" for one in away[:1])
        yield (Text("accuracy", style="dim"), words(change))
    if impact.attribution or any(finding.statistic.startswith("score_") for finding in alert.symptoms):
        yield (Text("scores moved", style="dim"), words(_carried(impact)))


def _elsewhere(one: Elsewhere) -> tuple[Text, Text]:
    """Which part of it is another pipeline's."""
    first = f", the first {one.first_prediction_id}" if one.first_prediction_id else ""
    many = f"{one.predictions_affected:,} of {', '.join(one.models)} in pipeline {one.pipeline}{first}"
    return (Text("of these", style="dim"), words(many))


def _carried(impact: Impact) -> str:
    """which input columns carry the shift of the scores, and how much is left."""
    if not impact.attribution:
        return "not attributable to input columns"
    by = ", ".join(f"{share(one.share)} by {one.column}" for one in impact.attribution)
    rest = 1.0 - sum(one.share for one in impact.attribution)
    return f"{by}; {share(rest)} not attributed" if rest >= UNTOLD else by


def suspect_row(cause: Cause) -> tuple[Text, Text]:
    """How likely a suspect is, and why."""
    kind = "" if cause.kind is CauseKind.UNKNOWN else KIND[cause.kind]
    why = "; ".join(part for part in (kind, _change(cause), *cause.evidence[:1]) if part)
    return (Text(share(cause.confidence)), _considered(_place(cause), why))


def rejected_row(rejected: Rejected) -> tuple[Text, Text]:
    """What was ruled out, and why."""
    place = f"{rejected.component}.{rejected.column}" if rejected.column else rejected.component
    what = f"{KIND[rejected.kind]} {rejected.change_id}" if rejected.change_id else KIND[rejected.kind]
    detail = f" ({rejected.detail})" if rejected.detail else ""
    return (Text("no", style="dim"), _considered(place, f"{what}: {REJECTION[rejected.reason]}{detail}"))


def _considered(place: str, why: str) -> Text:
    text = words(place, "bold")
    return text.append_text(words(f"  {why}", "not bold")) if why else text


def around(alert: Alert) -> Iterator[tuple[Text, Text]]:
    """Versions, circumstances and links at the cause."""
    context = alert.context
    versions = ("data", "schema", "feature", "model", "code", "config")
    known = {name: getattr(context, f"{name}_version") for name in versions}
    facts = {
        "source": context.source,
        "versions": " · ".join(f"{name} {version}" for name, version in known.items() if version),
        "run": " on ".join(part for part in (context.run_id, context.host) if part),
        "toggles": " · ".join(f"{name}={value}" for name, value in sorted(context.toggles.items())),
        "before": f"alert {alert.previous_alert_id} had the same cause" if alert.previous_alert_id else "",
        "runbook": alert.runbook_url,
        "console": alert.links.console,
        "dashboard": alert.links.dashboard,
        "run log": alert.links.run,
        "change log": alert.links.change,
        "trace": alert.links.trace,
    }
    for name, value in facts.items():
        if value:
            yield (Text(name, style="dim"), words(value))
