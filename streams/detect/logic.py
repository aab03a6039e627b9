"""The detect agent's decisions: an event is moved, buried, recognised as a duplicate, or folded."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from diagnosis.observation import Observation
from diagnosis.silence import SILENCE
from schemas.events import Change, ChangeKind, DataBatch, Event, Outcome, Prediction
from schemas.malformed import MalformedEvent, Reason
from streams.detect import inputs, measures
from streams.detect.budget import Budget, Share
from streams.detect.gathering import Gathering, outcomes_input
from streams.detect.holding import Subjects
from streams.detect.observing import (
    batch_observation,
    change_observation,
    given_up_observation,
    model_observation,
)
from streams.detect.shares import telling
from streams.detect.subject import (
    Policies,
    Said,
    Step,
    StepKind,
    Subject,
    apply,
    is_due,
    summarise_batch,
    summarise_outcomes,
    summarise_predictions,
    window_ends,
)
from streams.kafka.chunk import Chunk
from streams.kafka.transaction import Output
from streams.plain import from_bytes, to_bytes
from streams.records import Sourced, bury, move, our_fault, sourced
from streams.settings import Settings
from streams.task.reaction import Reaction
from streams.task.work import Micros
from streams.topics import Topic, key_of, partition_of

Decode = Callable[[bytes], Event]
CLOCK_EVERY_MICROS = 10_000_000
REFERENCE = "reference"
MOST_SUBJECTS = 10_000  # datasets and models of one partition; each is bounded by itself

logger = logging.getLogger(__name__)


class DetectLogic:
    """The subjects of one partition (see ``streams.task.journaled.Logic``)."""

    def __init__(
        self,
        partition: int,
        settings: Settings,
        decoders: Mapping[Topic, Decode],
        encode: Callable[[Observation], bytes],
        policies: Policies,
        budget: Budget,
    ) -> None:
        self._partition = partition
        self._settings = settings
        self._decoders = decoders
        self._encode = encode
        self._policies = policies
        self._budget = budget
        self._subjects = Subjects(partition, budget)
        self._told: Share | None = None
        self._clock_at = 0

    def read(self, chunk: Chunk, reaction: Reaction) -> None:
        """Fold a chunk: batches, outcomes and changes one by one, the predictions of a model together."""
        self._budget.listen()
        topic = Topic(chunk.topic.removeprefix(self._settings.topic_prefix))
        gatherings: dict[str, Gathering] = {}
        for record in chunk.records:
            source = sourced(record, topic, chunk)
            with self._surviving(source, reaction):
                event = self._decoders[source.topic](record.value or b"")
                home = partition_of(key_of(event.pipeline, _name(event)), self._settings.partitions)
                if home == self._partition or source.moved:
                    self._fold(event, source, gatherings, reaction)
                else:
                    reaction.outputs.append(move(source, self._topic(Topic.INBOX), home))
                    reaction.count("headwater_events_total", source.topic, "moved")
        for gathering in gatherings.values():
            self._fold_gathered(gathering, reaction)
        self._tell(reaction)
        newest = chunk.records[-1].timestamp / 1000
        reaction.gauge("headwater_last_event_timestamp_seconds", topic, value=newest)

    @contextmanager
    def _surviving(self, source: Sourced, reaction: Reaction) -> Iterator[None]:
        """A defect of ours costs the event it was met on, which is kept as a dead letter, and nothing else."""
        done = self._begin(reaction)
        try:
            yield
        except MalformedEvent as error:
            self._bury(source, error, reaction)
        except Exception as failure:  # whatever it is: the partition must not stand still for it
            logger.exception("%s is a dead letter", source.origin)
            self._take_back(done, reaction)
            self._bury(source, our_fault(failure), reaction)

    def _begin(self, reaction: Reaction) -> tuple[int, int]:
        """From here on things can be taken back."""
        self._subjects.begin()
        return len(reaction.outputs), len(reaction.steps)

    def _take_back(self, done: tuple[int, int], reaction: Reaction) -> None:
        """Leave outputs, journal and state as they were when ``done`` was done."""
        del reaction.outputs[done[0] :], reaction.steps[done[1] :]
        self._subjects.take_back()

    def _bury(self, source: Sourced, error: MalformedEvent, reaction: Reaction) -> None:
        record, grave = source.record, self._topic(Topic.DEAD_LETTERS)
        reaction.outputs.append(bury(record.key, record.value, source.origin, grave, self._partition, error))
        reaction.count("headwater_events_total", source.topic, "dead")
        reaction.count("headwater_dead_letters_total", source.topic, error.reason)

    def _fold(self, event: Event, source: Sourced, gatherings: dict[str, Gathering], reaction: Reaction) -> None:
        name = f"{event.pipeline}/{_name(event)}"
        digest = inputs.digest(source.record.value or b"")
        if name not in self._subjects and len(self._subjects) >= MOST_SUBJECTS:
            raise MalformedEvent(Reason.TOO_MANY_SUBJECTS, f"this partition holds {MOST_SUBJECTS} subjects already")
        seen = self._subjects.seen(name)
        if digest in seen:
            reaction.count("headwater_events_total", source.topic, "duplicate")
            return
        seen.add(digest)
        late = False
        match event:
            case Prediction():
                gathering = gatherings.setdefault(name, Gathering(name))
                gathering.add(event, source, digest)
                ends = window_ends(self._subjects.get(name), self._policies)
                if gathering.fills(*ends, self._policies.model.window_s):
                    self._fold_gathered(gatherings.pop(name), reaction)
            case DataBatch():
                late = self._fold_batch(event, source, digest, reaction)
            case Outcome():
                self._fold_outcome(event, source, digest, reaction)
            case Change():
                self._fold_change(event, source, digest, reaction)
        reaction.count("headwater_events_total", source.topic, "late" if late else "ok")

    def _fold_batch(self, batch: DataBatch, source: Sourced, digest: int, reaction: Reaction) -> bool:
        """Whether the batch came late."""
        name = f"{batch.pipeline}/{batch.dataset}"
        given = inputs.batch_input(batch, source.arrived_at)
        summary = summarise_batch(self._subjects.get(name), given, self._policies)
        reaction.count("headwater_rows_total", source.topic, by=batch.rows)
        step = Step(kind=StepKind.BATCH, digests=_one(digest), batch=summary, monitored=self._budget.monitored)
        late = False
        for said in self._apply(name, step, reaction):
            if said.batch is not None:
                late = said.batch[1].late
                seen = batch_observation(batch, said.batch[1], source.origin, source.arrived_at)
                self._emit(seen, reaction)
                measures.batch(batch, seen, reaction)
        return late

    def _fold_gathered(self, gathering: Gathering, reaction: Reaction) -> None:
        """Fold predictions together; where that fails, one by one, so that only the ones at fault are buried."""
        if len(gathering.events) == 1:
            with self._surviving(gathering.events[0][1], reaction):
                self._fold_predictions(gathering, reaction)
            return
        done = self._begin(reaction)
        try:
            self._fold_predictions(gathering, reaction)
        except Exception:  # whatever it is: its event is found by folding each alone
            logger.exception("%s: %d predictions are folded one by one", gathering.subject, len(gathering.events))
            self._take_back(done, reaction)
            for alone in gathering.one_by_one():
                self._fold_gathered(alone, reaction)

    def _fold_predictions(self, gathering: Gathering, reaction: Reaction) -> None:
        name = gathering.subject
        subject = self._subjects.get(name)
        step = Step(
            kind=StepKind.PREDICTIONS,
            digests=np.array(gathering.digests, np.uint64),
            predictions=summarise_predictions(subject, gathering.predictions_input()),
            head=gathering.head(),
            monitored=self._budget.monitored,
        )
        self._emit_of_model(name, self._apply(name, step, reaction), reaction)
        reaction.count("headwater_rows_total", Topic.PREDICTIONS, by=gathering.rows)
        measures.reads(gathering, reaction)

    def _fold_outcome(self, outcome: Outcome, source: Sourced, digest: int, reaction: Reaction) -> None:
        name = f"{outcome.pipeline}/{outcome.model}"
        given = outcomes_input(outcome, name, source.arrived_at)
        summary = summarise_outcomes(self._subjects.get(name), given)
        reaction.count("headwater_rows_total", source.topic, by=max(len(outcome.outcomes), len(outcome.actual or ())))
        step = Step(kind=StepKind.OUTCOMES, digests=_one(digest), outcomes=summary, monitored=self._budget.monitored)
        self._emit_of_model(name, self._apply(name, step, reaction), reaction)

    def _fold_change(self, change: Change, source: Sourced, digest: int, reaction: Reaction) -> None:
        change_id = change.change_id or f"{change.component}@{change.at}"
        self._emit(change_observation(change, change_id, source.origin, source.arrived_at), reaction)
        name = f"{change.pipeline}/{change.component}"
        if change.kind is not ChangeKind.BASELINE or change.after == SILENCE:
            self._apply(name, Step(kind=StepKind.SEEN, digests=_one(digest)), reaction)
        elif change.after == REFERENCE:
            self._apply(name, Step(kind=StepKind.PIN, digests=_one(digest), at=change.at), reaction)
        else:
            step = Step(kind=StepKind.ACCEPT, digests=_one(digest), at=change.at, column=change.after)
            self._apply(name, step, reaction)

    def _emit_of_model(self, name: str, said: tuple[Said, ...], reaction: Reaction) -> None:
        for one in said:
            if one.model is not None:
                seen = model_observation(name, one.model, one.head, one.arrived_at)
                self._emit(seen, reaction)
                measures.model(seen, reaction)

    def tick(self, now: Micros, reaction: Reaction) -> None:
        """Every ten seconds, what is due by the clock: windows nobody fills, parts nobody sends, outcomes to judge."""
        if now < self._clock_at:
            return
        self._clock_at = now + CLOCK_EVERY_MICROS
        self._budget.listen()
        for name, subject in self._subjects.items():
            if not is_due(subject, now, self._policies):
                continue
            done = self._begin(reaction)
            try:
                self._fold_clock(name, now, reaction)
            except Exception:  # as for an event: what cannot be done for one subject is not done, the others go on
                logger.exception("%s: nothing was done at the tick", name)
                self._take_back(done, reaction)
        self._tell(reaction)

    def _tell(self, reaction: Reaction) -> None:
        """Let the other tasks know this one's share of the budget, where what was folded has changed it."""
        if reaction.steps and self._told != self._subjects.share:
            self._told = self._subjects.share
            reaction.outputs.append(telling(self._topic(Topic.BUDGET), self._partition, self._told))

    def _fold_clock(self, name: str, now: Micros, reaction: Reaction) -> None:
        said = self._apply(name, Step(kind=StepKind.CLOCK, at=now, monitored=self._budget.monitored), reaction)
        for one in said:
            if one.batch is not None:
                self._emit(given_up_observation(*one.batch, now), reaction)
        self._emit_of_model(name, said, reaction)

    def _apply(self, name: str, step: Step, reaction: Reaction) -> tuple[Said, ...]:
        after, said = apply(self._subjects.get(name), step, self._policies)
        self._subjects.put(name, after)
        reaction.steps.append((name, to_bytes(step)))
        return said

    def _emit(self, seen: Observation, reaction: Reaction) -> None:
        measures.findings(seen, reaction)
        key = seen.pipeline.encode()
        home = partition_of(key, self._settings.partitions)
        value = self._encode(seen)
        reaction.outputs.append(Output(topic=self._topic(Topic.OBSERVATIONS), partition=home, key=key, value=value))

    def _topic(self, topic: Topic) -> str:
        return self._settings.topic_prefix + topic

    def replay(self, subject: str, step: bytes) -> None:
        """Fold a step of the journal again."""
        after, _ = apply(self._subjects.get(subject), from_bytes(Step, step), self._policies)
        self._subjects.hold(subject, after)

    def restore(self, subject: str, body: bytes) -> None:
        """Take a subject as it was written."""
        self._subjects.hold(subject, from_bytes(Subject, body))

    def dump(self, subject: str) -> bytes:
        """A subject as it is written."""
        return to_bytes(self._subjects[subject])

    def clear(self) -> None:
        """Forget everything."""
        self._subjects.clear()
        self._told = None

    def close(self) -> None:
        """The partition goes elsewhere, and its statistics with it."""
        self._subjects.withdraw()


def _name(event: Any) -> str:
    match event:
        case DataBatch():
            return event.dataset
        case Change():
            return event.component
        case _:
            return str(event.model)


def _one(digest: int) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return np.array([digest], np.uint64)
