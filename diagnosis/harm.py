"""What other pipelines tell of an alert: predictions of theirs that its fault reached are a part of its impact."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import reduce

from diagnosis.alert import Elsewhere, Impact, Severity, Status
from diagnosis.lineage import weaker
from diagnosis.observation import Harm, Observation
from diagnosis.state import Fault, PipelineState, Reached

_SEVERITIES = (Severity.UNKNOWN, Severity.INFO, Severity.WARNING, Severity.CRITICAL)


def take_harm(state: PipelineState, observation: Observation) -> PipelineState:
    """Note what a reader tells of an alert that is firing or resolved."""
    harm, reader = observation.harm, observation.reader
    if harm is None or reader is None or not any(reader in node.readers for node in state.nodes.values()):
        return state
    faults = tuple(_with_harm(fault, reader, harm) for fault in state.faults)
    return state if faults == state.faults else replace(state, faults=faults)


def _with_harm(fault: Fault, reader: str, harm: Harm) -> Fault:
    """Add what is newer than what was told before; a resolved alert then has something to tell."""
    known, status = fault.harms.get(reader), fault.alert.status
    if fault.alert.alert_id != harm.alert_id or status is Status.SUPERSEDED:
        return fault
    if known is not None and known.revision >= harm.revision:
        return fault
    draft = fault.draft if status is Status.FIRING else fault.draft or fault.alert
    return replace(fault, harms={**fault.harms, reader: harm}, draft=draft)


def with_harms(impact: Impact, totals: Mapping[str, Reached], harms: Mapping[str, Harm]) -> Impact:
    """Return the impact at home, which has these ``totals`` per model, with what other pipelines tell."""
    telling = {reader: harm for reader, harm in sorted(harms.items()) if harm.affected}
    if not telling:
        return impact
    parts: list[Reached | Harm] = [*(one for one in totals.values() if one.affected), *telling.values()]
    number = sum(part.affected for part in parts)
    first = min(parts, key=lambda part: (part.first_at or 0, part.first_id or ""))
    matches = [harm.match for harm in telling.values()] + [impact.match] * bool(impact.predictions_affected)
    return replace(
        _with_worst(impact, telling.values()),
        models=(*impact.models, *(f"{reader}/{model}" for reader, harm in telling.items() for model in harm.models)),
        predictions_affected=number,
        share_of_predictions=min(1.0, number / max(sum(part.total for part in parts), 1)),
        first_prediction_id=first.first_id,
        match=reduce(weaker, matches),
        elsewhere=tuple(_elsewhere(reader, harm) for reader, harm in telling.items()),
    )


def _with_worst(impact: Impact, harms: Iterable[Harm]) -> Impact:
    """Return the impact with the worst change of performance that anybody knows."""
    known = [(harm.performance_change, harm.interval) for harm in harms if harm.performance_change is not None]
    if not known:
        return impact
    change, interval = min(known, key=lambda one: one[0])
    if impact.performance_change is not None and impact.performance_change <= change:
        return impact
    return replace(impact, performance_change=change, interval=interval)


def _elsewhere(reader: str, harm: Harm) -> Elsewhere:
    return Elsewhere(
        pipeline=reader,
        models=harm.models,
        predictions_affected=harm.affected,
        first_prediction_id=harm.first_id,
        performance_change=harm.performance_change,
        interval=harm.interval,
    )


def at_home(impact: Impact) -> Impact:
    """Return an impact without a change of performance that another pipeline told."""
    if impact.performance_change not in {one.performance_change for one in impact.elsewhere}:
        return impact
    return replace(impact, performance_change=None, interval=None)


def worst(severity: Severity, harms: Mapping[str, Harm]) -> Severity:
    """Return the worst of a severity and of what others tell of predictions reached."""
    told = (harm.severity for harm in harms.values() if harm.affected)
    return max((severity, *told), key=_SEVERITIES.index)
