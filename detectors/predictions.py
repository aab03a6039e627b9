"""From the rows of predictions to their summary."""

import numpy as np
from numpy.typing import NDArray

from detectors.batch import NumberColumn
from detectors.column import summarise_columns
from detectors.distinct import mixed
from detectors.model_columns import SCORE, column_of
from detectors.model_state import ModelState, references, settled_task
from detectors.recalibration import SHELVES, logit, shelf_of
from detectors.runs import Run, chosen, sampled
from detectors.sampled import low, sample
from detectors.serving import serving_columns
from detectors.window import PredictionsInput, PredictionsSummary, check_lengths


def summarise_predictions(state: ModelState, predictions: PredictionsInput) -> PredictionsSummary:
    """Reduce predictions to what a fold needs.

    Raises ``ValueError`` where arrays that belong together differ in length.
    """
    check_lengths(predictions)
    features = {column_of(name): values for name, values in predictions.features.items()}
    columns = {SCORE: NumberColumn(values=predictions.scores), **features}
    known_inputs = references(state.inputs)
    probable = predictions.scores[(predictions.scores >= 0.0) & (predictions.scores <= 1.0)]
    known = predictions.at.size > 0
    return PredictionsSummary(
        subject=predictions.subject,
        first_event_id=predictions.first_event_id,
        task=predictions.task,
        rows=predictions.scores.size,
        events=predictions.latency_ms.size,
        first_at=int(predictions.at[0]) if known else predictions.arrived_at,
        last_at=int(predictions.at.max()) if known else predictions.arrived_at,
        arrived_at=predictions.arrived_at,
        inputs=summarise_columns(columns, known_inputs, piece=True),
        drawn=sample(columns, known_inputs, _row_keys(predictions)),
        serving=summarise_columns(serving_columns(predictions), references(state.serving)),
        shelves=np.bincount(shelf_of(logit(probable)), minlength=SHELVES).astype(np.float64),
        sample=_sample(state, predictions),
        segments=predictions.segments,
    )


def _row_keys(predictions: PredictionsInput) -> NDArray[np.uint32]:
    """Keys of rows that are the same however the events were gathered."""
    named = predictions.id_hash if predictions.id_hash.size else np.zeros(predictions.scores.size, np.uint64)
    key: NDArray[np.uint32] = low(named ^ predictions.scores.view(np.uint64) ^ mixed(predictions.at.view(np.uint64)))
    return key


def _sample(state: ModelState, predictions: PredictionsInput) -> Run | None:
    """The predictions that can be joined later, of the sample; None if there are none."""
    n = predictions.scores.size
    nothing = np.zeros(n, np.uint64)
    key = predictions.id_hash if predictions.id_hash.any() else nothing
    entity = predictions.entity_hash if predictions.entity_hash.any() else nothing[:0]
    if not key.any() and entity.size:
        key = entity
    name = entity if state.join.by_entity and entity.size else key
    kept = np.isfinite(predictions.scores) & (name != 0) & sampled(name, state.join.pending.halvings)
    if not kept.any():
        return None
    with_class = predictions.predicted.any() and settled_task(state.task, predictions.task, True) == "MULTICLASS"
    no_bounds = np.empty(0)
    rows = Run(
        key=key,
        at=predictions.at,
        score=predictions.scores,
        segment=predictions.segment.astype(np.int16) if predictions.segment.size else np.full(n, -1, np.int16),
        entity=entity,
        predicted=predictions.predicted if with_class else nothing[:0],
        lower=no_bounds if predictions.lower is None else predictions.lower,
        upper=no_bounds if predictions.upper is None else predictions.upper,
        outcome=np.full(n, np.nan),
        released=np.zeros(n, np.bool_),
    )
    return chosen(rows, kept)
