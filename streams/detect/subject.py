"""One subject of the detect agent: what is kept of it, and the pure function that folds a step into it."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from detectors import dataset, model
from detectors.batch import BatchInput
from detectors.dataset import BatchSummary, DatasetState
from detectors.episodes import Episodes, observe
from detectors.judgement import Judgement
from detectors.model import (
    ModelState,
    OutcomesInput,
    OutcomesSummary,
    PredictionsInput,
    PredictionsSummary,
    WindowJudgement,
)
from diagnosis.provenance import Origin, Parent, PredictionRef
from streams.detect.budget import Share
from streams.detect.inputs import Micros

DATASET_DIGESTS = 512
MODEL_DIGESTS = 8192  # 64 KB: the newest events of a model are recognised when they are delivered again


class StepKind(StrEnum):
    """What was folded."""

    BATCH = "BATCH"
    PREDICTIONS = "PREDICTIONS"
    OUTCOMES = "OUTCOMES"
    ACCEPT = "ACCEPT"
    PIN = "PIN"
    CLOCK = "CLOCK"
    SEEN = "SEEN"


def _digests() -> NDArray[np.uint64]:
    return np.empty(0, np.uint64)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowHead:
    """The header of a window of predictions, gathered from its events."""

    pipeline: str
    model: str
    at: Micros
    arrived_at: Micros
    origin: Origin
    rows: int
    refs: tuple[PredictionRef, ...] = ()
    parents: tuple[Parent, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    segments: dict[str, str] = field(default_factory=dict)
    host: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Step:
    """What is written to the journal: everything a fold needs, and nothing that depends on rows any more.

    monitored: the number of statistics that shared the false-alarm budget when this was folded. digests: of the events
    behind it. at: for ACCEPT, PIN and CLOCK.
    """

    version: int = 1
    kind: StepKind
    monitored: int = 1
    digests: NDArray[np.uint64] = field(default_factory=_digests)
    batch: BatchSummary | None = None
    predictions: PredictionsSummary | None = None
    head: WindowHead | None = None
    outcomes: OutcomesSummary | None = None
    column: str | None = None
    at: Micros = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Subject:
    """A dataset or a model, or both where they share a name.

    digests: of the newest events, at most 512 of a dataset and 8,192 of a model. window: the header of the open one.
    episodes: its alarms of the last month.
    """

    version: int = 1
    name: str
    dataset: DatasetState | None = None
    model: ModelState | None = None
    digests: NDArray[np.uint64] = field(default_factory=_digests)
    window: WindowHead | None = None
    episodes: Episodes = field(default_factory=Episodes)

    @property
    def share(self) -> Share:
        """What this subject has of the budget."""
        of_dataset = dataset.statistics(self.dataset) if self.dataset else 0
        of_model = model.statistics(self.model) if self.model else 0
        return Share(statistics=of_dataset + of_model, alarms=len(self.episodes.began))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Said:
    """A judgement and what it is about: a batch, or a model's window (``head``) or matured outcomes (no head)."""

    batch: tuple[BatchSummary, Judgement] | None = None
    model: WindowJudgement | None = None
    head: WindowHead | None = None
    arrived_at: Micros = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """How datasets and models are judged; ``monitored`` is taken from the step."""

    dataset: dataset.Policy
    model: model.Policy

    def sharing(self, monitored: int) -> "Policies":
        """The same, with the budget split among ``monitored`` statistics."""
        return Policies(
            dataset=replace(self.dataset, monitored=monitored), model=replace(self.model, monitored=monitored)
        )


def apply(subject: Subject, step: Step, policies: Policies) -> tuple[Subject, tuple[Said, ...]]:
    """Fold one step; pure, so that the journal gives the same subject again."""
    subject, said = _folded(_remember(subject, step), step, policies.sharing(step.monitored))
    for one in said:
        if one.batch is not None:
            subject = _alarming(subject, one.batch[1], one.batch[0].at)
        if one.model is not None:
            subject = _alarming(subject, one.model, one.model.last_at)
    return subject, said


def _alarming(subject: Subject, judgement: Judgement, at: Micros) -> Subject:
    return replace(subject, episodes=observe(subject.episodes, judgement.findings, at))


def _folded(subject: Subject, step: Step, policies: Policies) -> tuple[Subject, tuple[Said, ...]]:
    match step.kind:
        case StepKind.BATCH:
            return _batch(subject, step, policies)
        case StepKind.PREDICTIONS:
            return _predictions(subject, step, policies)
        case StepKind.OUTCOMES:
            return _outcomes(subject, step, policies)
        case StepKind.ACCEPT | StepKind.PIN:
            return _declared(subject, step), ()
        case StepKind.CLOCK:
            return _clock(subject, step, policies)
        case StepKind.SEEN:
            return subject, ()


def _remember(subject: Subject, step: Step) -> Subject:
    if not len(step.digests):
        return subject
    most = DATASET_DIGESTS if step.kind is StepKind.BATCH else MODEL_DIGESTS
    return replace(subject, digests=np.concatenate((subject.digests, step.digests))[-most:])


def _batch(subject: Subject, step: Step, policies: Policies) -> tuple[Subject, tuple[Said, ...]]:
    if step.batch is None:
        return subject, ()
    state, judgement = dataset.fold(subject.dataset or dataset.start(subject.name), step.batch, policies.dataset)
    said = () if judgement is None else (Said(batch=(step.batch, judgement)),)
    return replace(subject, dataset=state), said


def _predictions(subject: Subject, step: Step, policies: Policies) -> tuple[Subject, tuple[Said, ...]]:
    if step.predictions is None or step.head is None:
        return subject, ()
    head = joined(subject.window, step.head)
    state = subject.model or model.start(subject.name)
    state, judgement = model.fold_predictions(state, step.predictions, policies.model)
    if judgement is None:
        return replace(subject, model=state, window=head), ()
    return replace(subject, model=state, window=None), (Said(model=judgement, head=head, arrived_at=head.arrived_at),)


def joined(window: WindowHead | None, more: WindowHead) -> WindowHead:
    """The header of an open window with that of further events of it."""
    if window is None:
        return more
    parents = tuple(dict.fromkeys((*window.parents, *more.parents)))
    place = {parent: index for index, parent in enumerate(parents)}
    moved = tuple(replace(ref, parents=tuple(place[more.parents[index]] for index in ref.parents)) for ref in more.refs)
    return replace(
        more,
        origin=window.origin,
        rows=window.rows + more.rows,
        refs=(*window.refs, *moved),
        parents=parents,
        versions={**window.versions, **more.versions},
    )


def _outcomes(subject: Subject, step: Step, policies: Policies) -> tuple[Subject, tuple[Said, ...]]:
    if step.outcomes is None:
        return subject, ()
    state = subject.model or model.start(subject.name)
    state, judgement = model.fold_outcomes(state, step.outcomes, policies.model)
    return replace(subject, model=state), () if judgement is None else (
        Said(model=judgement, arrived_at=step.outcomes.arrived_at),
    )


def _declared(subject: Subject, step: Step) -> Subject:
    held, scored = subject.dataset, subject.model
    if step.kind is StepKind.PIN:
        if held is None and scored is None:  # declared before the first event: both are possible
            held, scored = dataset.start(subject.name), model.start(subject.name)
        return replace(
            subject,
            dataset=held and dataset.pin(held, step.at),
            model=scored and model.pin(scored, step.at),
        )
    return replace(
        subject,
        dataset=held and dataset.accept(held, step.column, step.at),
        model=scored and model.accept(scored, step.at, step.column),
    )


def _clock(subject: Subject, step: Step, policies: Policies) -> tuple[Subject, tuple[Said, ...]]:
    said: list[Said] = []
    if subject.dataset is not None:
        state, given_up = dataset.complete(subject.dataset, step.at, policies.dataset)
        subject = replace(subject, dataset=state)
        said += [Said(batch=one) for one in given_up]
    if subject.model is not None:
        scored, judgement = model.fold_tick(subject.model, step.at, policies.model)
        closed = judgement is not None and not judgement.of_outcomes
        if judgement is not None:
            said.append(Said(model=judgement, head=subject.window if closed else None, arrived_at=step.at))
        subject = replace(subject, model=scored, window=None if closed else subject.window)
    return subject, tuple(said)


def summarise_batch(subject: Subject, given: BatchInput, policies: Policies) -> BatchSummary:
    """A batch against what is known of its dataset; where the arithmetic on rows runs."""
    return dataset.summarise(subject.dataset or dataset.start(subject.name), given, policies.dataset.pool_rows)


def summarise_predictions(subject: Subject, given: PredictionsInput) -> PredictionsSummary:
    """Predictions against what is known of their model."""
    return model.summarise_predictions(subject.model or model.start(subject.name), given)


def summarise_outcomes(subject: Subject, given: OutcomesInput) -> OutcomesSummary:
    """Outcomes as the model's join needs them."""
    return model.summarise_outcomes(subject.model or model.start(subject.name), given)


def window_ends(subject: Subject, policies: Policies) -> tuple[int, Micros | None]:
    """How many more rows the model's open window takes, and the event time that ends it.

    Windows must not depend on how records arrive, so gathering stops where a window does.
    """
    state = subject.model or model.start(subject.name)
    return model.rows_wanted(state, policies.model), model.window_ends_at(state, policies.model)


def is_due(subject: Subject, now: Micros, policies: Policies) -> bool:
    """Whether a step of the clock would do anything."""
    return (subject.dataset is not None and dataset.is_due(subject.dataset, now, policies.dataset)) or (
        subject.model is not None and model.is_due(subject.model, now, policies.model)
    )
