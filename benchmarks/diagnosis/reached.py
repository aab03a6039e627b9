"""Predictions that an alert's batches lead to, by id, against the truth in what was observed of a life."""

from collections.abc import Mapping, Sequence

from benchmarks.diagnosis.folding import Run, benchmark_policy
from diagnosis.alert import Alert
from diagnosis.compose import Subject, measure
from diagnosis.impact import Reach, affected
from diagnosis.lineage import Lineage
from diagnosis.provenance import ObservationKind
from diagnosis.state import Fault
from simulation.faults import Truth


def reached(run: Run, alert: Alert, truth: Truth) -> tuple[tuple[int, int, int] | None, int | None]:
    """How many are named, are truly affected, and are both.

    Also the number that diagnosis holds for the alert at the end, which it publishes with its next revision.
    """
    fault = next((one for one in run.state.faults if one.alert.alert_id == alert.alert_id), None)
    if fault is None:
        return None, None
    lineage = Lineage(nodes=run.state.nodes)
    tainted = _tainted(run, lineage, fault)
    reach = Reach(batches={key: frozenset(ids) for key, ids in tainted.items()}, match=alert.impact.match)
    calls = {
        (reference.at, reference.ids[0]): reference.ids
        for _, one in run.observations
        if one.kind is ObservationKind.WINDOW
        for reference in one.predictions
        if reference.ids
    }
    said = {
        prediction
        for key in reach.batches
        for batch in lineage.ring(key)
        for served in affected(lineage, batch, reach)
        for prediction in calls.get((served.at, served.first_id or ""), ())
    }
    observed = {prediction for ids in calls.values() for prediction in ids}
    true = observed & set(truth.affected_predictions)
    return (len(said), len(true), len(said & true)), (fault.draft or fault.alert).impact.predictions_affected


def _tainted(run: Run, lineage: Lineage, fault: Fault) -> Mapping[str, Sequence[str]]:
    """What diagnosis would call spoilt now, as it does with the next batch; what it knows already of a closed alert."""
    members = tuple(run.state.active[key] for key in fault.members if key in run.state.active)
    if not members:
        return fault.tainted
    subject = Subject(
        lineage=lineage,
        policy=benchmark_policy(),
        pipeline=run.state.pipeline,
        opening=members[0],
        members=members,
        fault=fault,
    )
    return measure(subject, fault.origin, fault.alert).tainted
