"""What each fault reached: exactly the batches and predictions that descend from where it acts."""

from collections.abc import Mapping, Sequence

from schemas.events import DataBatch, Event, Prediction
from simulation.faults import Fault, Truth
from simulation.pipeline import Pipeline
from simulation.production import Made


class Taint:
    """Follows ``faults`` through the batches of a life; a fault is known by its place among them."""

    def __init__(self, pipeline: Pipeline, faults: Sequence[Fault]) -> None:
        self._pipeline = pipeline
        self._faults = faults
        self._of: dict[str, frozenset[int]] = {}
        self._touched: list[list[DataBatch | Prediction]] = [[] for _ in faults]

    def spread(self, tick: int, made: Mapping[str, Made], acting: frozenset[int]) -> None:
        """Mark the batches of a tick by what acts where they are made, by their parents, and by what kept those old."""
        by_id = {batch.batch_id: batch for batch in made.values()}
        for step in self._pipeline.steps:
            batch = made[step.dataset]
            if batch.tick == tick:
                read = [by_id[parent] for parent in batch.parents]
                own = frozenset(i for i in acting if self._begins_at(i, step.dataset))
                late = [self._kept_old(each, tick, acting) for each in read]
                self._of[batch.batch_id] = own.union(*late, *(self._of[each.batch_id] for each in read))

    def _kept_old(self, read: Made, tick: int, acting: frozenset[int]) -> frozenset[int]:
        """The faults without which a newer batch than ``read`` would have been there in a tick."""
        if read.tick == tick:
            return frozenset()
        reached = (self._pipeline.descendants(fault.component) for fault in self._faults)
        return acting & {i for i, datasets in enumerate(reached) if read.dataset in datasets}

    def _begins_at(self, fault: int, dataset: str) -> bool:
        component = self._faults[fault].component
        return component == dataset or any(
            source.dataset == dataset and source.system == component for source in self._pipeline.sources
        )

    def of(self, batch_id: str) -> frozenset[int]:
        """The faults that reached a batch."""
        return self._of[batch_id]

    def of_predictions(self, served: Made, tick: int, acting: frozenset[int]) -> frozenset[int]:
        """The faults that reach predictions made from ``served``: its own, the model's, and those that kept it old."""
        here = frozenset(i for i in acting if self._faults[i].component == self._pipeline.model.name)
        return here | self.of(served.batch_id) | self._kept_old(served, tick, acting)

    def note(self, event: Event, touched: frozenset[int]) -> None:
        """An event has arrived that these faults reached."""
        if isinstance(event, DataBatch | Prediction):
            for fault in touched:
                self._touched[fault].append(event)

    def truth(self, fault: int, onset: int) -> Truth:
        """What a fault that began in the tick ``onset`` has done so far."""
        told, touched = self._faults[fault], self._touched[fault]
        batches = [event for event in touched if isinstance(event, DataBatch)]
        predictions = [event for event in touched if isinstance(event, Prediction)]
        return Truth(
            fault=told.name,
            kind=told.kind,
            also=told.also,
            component=told.component,
            column=told.column,
            segment=told.segment,
            onset_tick=onset,
            onset_at=_time_of(touched[0]) if touched else None,
            onset_batch_id=batches[0].batch_id if batches else None,
            affected_batches=tuple(dict.fromkeys(str(batch.batch_id) for batch in batches)),
            affected_predictions=tuple(i for event in predictions for i in event.prediction_ids),
        )


def _time_of(event: DataBatch | Prediction) -> int:
    return event.produced_at if isinstance(event, DataBatch) else event.scored_at
