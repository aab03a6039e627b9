"""Faults: what is broken on purpose, declared as effects on a healthy pipeline, and the truth about it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from schemas.events import ChangeKind
from simulation.damage import Damage


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What a dataset's batches hold is damaged."""

    dataset: str
    damage: Damage


@dataclass(frozen=True, slots=True)
class Misread:
    """A stage reads its parent wrongly; the parent's own batches stay healthy."""

    dataset: str
    parent: str
    damage: Damage


@dataclass(frozen=True, slots=True)
class Release:
    """A version in a component's headers changes, ``ticks`` after the onset.

    versioned: ``code``, ``config``, ``schema``, ``feature`` or ``model``. announced: also told on the changes topic.
    """

    component: str
    versioned: str
    after: str
    announced: bool = False
    ticks: int = 0

    @property
    def kind(self) -> ChangeKind:
        """What was changed."""
        return ChangeKind(self.versioned.upper())


@dataclass(frozen=True, slots=True)
class Toggle:
    """A switch in the headers of a dataset's runs is set."""

    dataset: str
    switch: str
    value: str


@dataclass(frozen=True, slots=True)
class Rerun:
    """Every run of a stage happens twice, a few seconds apart: two batches under one id, the second one damaged.

    replaces: the second says that it stands for the first, as a re-run on purpose does.
    """

    dataset: str
    damage: Damage
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class Freeze:
    """A dataset is no longer renewed, nor what is driven by it; who else reads it goes on with its last batch."""

    dataset: str


@dataclass(frozen=True, slots=True)
class Delay:
    """A dataset's batches are finished late, each by another time of at most ``ticks``: some overtake others."""

    dataset: str
    ticks: float


@dataclass(frozen=True, slots=True)
class Creep:
    """A dataset is damaged a little more in every tick: ``damage(0)`` is none, ``damage(1)`` after ``ticks``."""

    dataset: str
    damage: Callable[[float], Damage]
    ticks: int


@dataclass(frozen=True, slots=True)
class Misserve:
    """The model is served other features than the batch holds; ``miss``: so many reads of the store find nothing."""

    damage: Damage
    miss: float = 0.0


@dataclass(frozen=True, slots=True)
class Rescore:
    """The model answers otherwise: logit → ``shift`` + ``slope`` x logit."""

    shift: float = 0.0
    slope: float = 1.0


@dataclass(frozen=True, slots=True)
class Reality:
    """The world behind the outcomes changes: true logit → ``shift`` + ``slope`` x true logit."""

    shift: float = 0.0
    slope: float = 1.0


@dataclass(frozen=True, slots=True)
class Flatten:
    """Outcomes follow from the features less than they did, ``slope`` times as much in log-odds; their mean stays."""

    slope: float


Effect: TypeAlias = (
    Rewrite | Misread | Release | Toggle | Rerun | Freeze | Delay | Creep | Misserve | Rescore | Reality | Flatten
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault and what diagnosis should say of it.

    kind: one of the cause kinds; ``also``: others that are as right. component: the dataset, source system or model
    where it starts. innocent: releases that happen near the onset and do nothing. after: ticks from a life's onset to
    its own. lasts: ticks until it is repaired, None for ever. harmless: nobody is to be paged for it. segment:
    ``column = category`` of the rows it is limited to.
    """

    name: str
    sentence: str
    kind: str
    component: str
    column: str | None = None
    segment: str | None = None
    effects: tuple[Effect, ...]
    innocent: tuple[Release, ...] = ()
    also: tuple[str, ...] = ()
    after: int = 0
    lasts: int | None = None
    harmless: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        """Every kind that is a right answer."""
        return (self.kind, *self.also)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What really happened: the answer sheet of one simulated life.

    onset_at: event time, microseconds, of the first event the fault touched; None if it has not happened yet.
    """

    fault: str
    kind: str
    also: tuple[str, ...] = ()
    component: str
    column: str | None = None
    segment: str | None = None
    onset_tick: int
    onset_at: int | None = None
    onset_batch_id: str | None = None
    affected_batches: tuple[str, ...] = ()
    affected_predictions: tuple[str, ...] = ()
