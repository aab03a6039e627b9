"""A pipeline's history as the log would hold it: 30 hops, joins, branches, every way of naming a parent, one model.

Each round brings one batch of every dataset and one window of the model. Two batches have very many descendants: the
catalogue, made once and read in every round, and the rates, made once a day.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from uuid import UUID

from diagnosis.observation import Observation
from diagnosis.provenance import ObservationKind, Origin, Parent, PredictionRef
from streams.index.keys import DAY_MICROS, Micros
from streams.index.writing import Logged
from streams.topics import Topic

PIPELINE = "shop"
MODEL = "fraud"
HOPS = 30
JOINED = (6, 12, 18, 24)  # hops that read a source of their own beside the line
LEFT_ASIDE = (3, 9, 13, 17, 21, 27)  # hops that people read as well: a dataset nothing else is made from
BY_PARTITION, BY_DATASET, BY_WINDOW = 8, 14, 20  # hops that name the one before them less exactly
BATCHES_PER_ROUND = HOPS + len(JOINED) + len(LEFT_ASIDE)
SECOND: Micros = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """``rounds`` rounds of ``scored`` predictions, spread evenly from ``begin`` to ``end`` (microseconds)."""

    seed: int
    rounds: int
    scored: int
    begin: Micros
    end: Micros

    @property
    def gap(self) -> Micros:
        """The time from one round to the next."""
        return (self.end - self.begin) // self.rounds

    def log(self) -> Iterator[Logged[Observation]]:
        """Everything that is observed, in the order in which it is stored in one partition."""
        offset = 0
        for number in range(self.rounds):
            for seen in self._round(number):
                yield Logged(partition=0, offset=offset, stored_at=seen.arrived_at, value=seen)
                offset += 1

    def day(self, number: int) -> int:
        """The day of a round, counted from the first."""
        return number * self.gap // DAY_MICROS

    def prediction_id(self, number: int, index: int) -> str:
        """The id of the ``index``-th prediction of a round: a random UUID, the same for the same seed."""
        return self._ids(number)[index]

    def _ids(self, number: int) -> list[str]:
        random = Random(self.seed * 1_000_003 + number)
        return [str(UUID(int=random.getrandbits(128), version=4)) for _ in range(self.scored)]

    def _round(self, number: int) -> Iterator[Observation]:
        at = self.begin + number * self.gap
        if number == 0:
            yield self._batch("catalogue", 0, at, ())
        if number == 0 or self.day(number) != self.day(number - 1):
            yield self._batch("rates", self.day(number), at, ())
        step = self.gap // (HOPS + 2)
        for hop in range(HOPS):
            made = at + hop * step + SECOND
            if hop in JOINED:
                yield self._batch(f"side_{hop}", number, made - 1, ())
            yield self._batch(f"step_{hop}", number, made, tuple(self._parents(hop, number, made - step)))
            if hop in LEFT_ASIDE:
                yield self._batch(f"board_{hop}", number, made + 1, (_exactly(f"step_{hop}", number),))
        yield self._window(number, at + HOPS * step + SECOND)

    def _parents(self, hop: int, number: int, before: Micros) -> Iterator[Parent]:
        above = f"step_{hop - 1}"
        if hop == BY_PARTITION:
            yield Parent(dataset=above, partition=f"part-{number}")
        elif hop == BY_DATASET:
            yield Parent(dataset=above)
        elif hop == BY_WINDOW:
            yield Parent(dataset=above, window_start=before, window_end=before + 1)
        elif hop:
            yield _exactly(above, number)
        if hop in JOINED:
            yield _exactly(f"side_{hop}", number)
        if hop == 1:
            yield _exactly("catalogue", 0)
        if hop == 2:
            yield _exactly("rates", self.day(number))

    def _batch(self, dataset: str, number: int, at: Micros, parents: tuple[Parent, ...]) -> Observation:
        return Observation(
            kind=ObservationKind.BATCH,
            pipeline=PIPELINE,
            name=dataset,
            stage=dataset,
            batch_id=batch_id(dataset, number),
            at=at,
            arrived_at=at + SECOND,
            rows=1_000,
            partition=f"part-{number}" if dataset == f"step_{BY_PARTITION - 1}" else None,
            origin=Origin(topic=Topic.DATA_BATCHES, partition=3, offset=number),
            parents=parents,
            run_id=f"run-{number}",
            run_kind="SCHEDULED",
            run_status="SUCCESS",
            versions={"code": "1.4.2", "schema": "7"},
        )

    def _window(self, number: int, at: Micros) -> Observation:
        first = number * self.scored
        events = tuple(
            PredictionRef(
                origin=Origin(topic=Topic.PREDICTIONS, partition=5, offset=first + i),
                at=at - (self.scored - i) * 1_000,
                rows=1,
                ids=(prediction_id,),
                parents=(0,),
            )
            for i, prediction_id in enumerate(self._ids(number))
        )
        return Observation(
            kind=ObservationKind.WINDOW,
            pipeline=PIPELINE,
            name=MODEL,
            batch_id=f"{MODEL}@{first}",
            at=at,
            arrived_at=at + SECOND,
            rows=self.scored,
            parents=(_exactly(f"step_{HOPS - 1}", number),),
            versions={"model": "12"},
            predictions=events,
        )


def batch_id(dataset: str, number: int) -> str:
    """The id of a dataset's batch of a round."""
    return f"{dataset}-{number:06}"


def _exactly(dataset: str, number: int) -> Parent:
    return Parent(dataset=dataset, batch_id=batch_id(dataset, number))
