"""Predictions that an alert's batches lead to, by id, against the truth in what was observed of a life."""

from benchmarks.diagnosis.folding import Run
from diagnosis.alert import Alert
from diagnosis.impact import Reach, affected
from diagnosis.lineage import Lineage
from diagnosis.observation import ObservationKind
from simulation.faults import Truth


def reached(run: Run, alert: Alert, truth: Truth) -> tuple[tuple[int, int, int] | None, int | None]:
    """How many are named, are truly affected, and are both.

    Also the number that diagnosis holds for the alert at the end, which it publishes with its next revision.
    """
    fault = next((one for one in run.state.faults if one.alert.alert_id == alert.alert_id), None)
    if fault is None:
        return None, None
    lineage = Lineage(nodes=run.state.nodes)
    reach = Reach(
        batches={key: frozenset(ids) for key, ids in fault.tainted.items()},
        match=alert.impact.match,
    )
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
