"""The lives that are lived: every family of faults in pipelines of all shapes, full and weak, in pairs, and none."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import count, cycle, islice

import numpy as np

from benchmarks.diagnosis.weak import unsteady, weakened
from simulation.catalogue import FAMILIES, HARMLESS
from simulation.faults import Fault
from simulation.generated import MOST, generate
from simulation.life import Life
from simulation.pipeline import Pipeline

START = 1_780_272_000_000_000  # a midnight
SINCE = 18  # ticks that are lived after an onset
CALM = 60  # ticks that are lived without any
LATER = 8  # ticks that the second of two faults comes after the first, where it does
PATIENCE = 50  # pipelines in which places for two faults at once are looked for, before they may come apart
DRIFTS = 0.3  # share of weak lives in which something else drifts at the same time
PAIRED = (
    "unit-change",
    "null-burst",
    "category-remap",
    "covariate-shift",
    "renamed-column",
    "code-deploy",
    "config-change",
    "join-mismatch",
    "model-swap",
)  # families whose faults no other one explains
AFTER = "model-swap"  # everything else in a pipeline comes before it
SEASON = "seasonal-peak"
CLEAN = "clean"
UNHARMED = [SEASON, *HARMLESS, CLEAN, "harmless-deploy", CLEAN]  # calm lives


class Setting(StrEnum):
    """What kind of life it is."""

    FULL = "full"
    WEAK = "weak"
    PAIR = "pair"
    CALM = "calm"


WHOLE = {Setting.FULL: 5.0, Setting.WEAK: 3.0, Setting.PAIR: 1.5, Setting.CALM: 2.5}  # lives for each family
QUICK = {Setting.FULL: 8, Setting.WEAK: 4, Setting.PAIR: 2, Setting.CALM: 3}  # what fits in three minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One life to be lived. names: families of its faults; in a calm one what happens instead. size: most datasets.

    apart: the second of two faults comes later than the first.
    """

    setting: Setting
    seed: int
    names: tuple[str, ...]
    size: int = MOST
    apart: bool = False

    def scene(self) -> "Scene":
        """Pipeline and faults, drawn from the seed: of its pipelines the first that has places for them."""
        for attempt in count():
            pipeline = generate(100_000 * attempt + self.seed, most=self.size)
            rng = np.random.default_rng([self.seed, attempt, 3])
            faults = self._faults(pipeline, rng, apart=self.apart or attempt >= PATIENCE)
            if faults is not None:
                drift = self._drift(pipeline, rng)
                pipeline = unsteady(pipeline) if self.setting is Setting.WEAK else pipeline
                return Scene(case=self, pipeline=pipeline, faults=faults, drift=drift)
        raise AssertionError("there is always another pipeline")

    def _faults(self, pipeline: Pipeline, rng: np.random.Generator, apart: bool) -> tuple[Fault, ...] | None:
        if self.names == (CLEAN,):
            return ()
        if self.names == (SEASON,):
            return () if pipeline.daily_swing else None
        drawn = [(FAMILIES.get(name) or HARMLESS[name]).draw(pipeline, rng) for name in self.names]
        faults = [fault for fault in drawn if fault is not None]
        if len(faults) < len(drawn):
            return None
        if self.setting is Setting.WEAK:
            return tuple(map(weakened, faults))
        return tuple(faults) if self.setting is not Setting.PAIR else _pair(pipeline, *faults, apart)

    def _drift(self, pipeline: Pipeline, rng: np.random.Generator) -> Fault | None:
        if self.setting is not Setting.WEAK or rng.random() >= DRIFTS:
            return None
        drift = HARMLESS["unrelated-drift"].draw(pipeline, rng)
        return drift and replace(drift, after=int(rng.integers(-1, 2)))


def _pair(pipeline: Pipeline, first: Fault, second: Fault, apart: bool) -> tuple[Fault, ...] | None:
    """Two faults of which neither is made from the other, unless one comes later."""
    below = pipeline.descendants(first.component), pipeline.descendants(second.component)
    model = {pipeline.model.name} & {first.component, second.component}
    nested = second.component in below[0] or first.component in below[1] or bool(model)
    if first.component == second.component or (nested and not apart):
        return None
    return replace(first, innocent=()), replace(second, innocent=(), after=LATER if apart else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is lived: ``faults`` are to be found; ``drift`` happens beside them and reaches no prediction."""

    case: Case
    pipeline: Pipeline
    faults: tuple[Fault, ...]
    drift: Fault | None = None

    @property
    def onset(self) -> int:
        """The tick from which the faults act: after three days where there is a season, else after sixty batches."""
        return 80 if self.pipeline.daily_swing else 60

    @property
    def ticks(self) -> int:
        """How long it is lived."""
        after = max((fault.after for fault in self.faults), default=0)
        return self.onset + after + (SINCE if self.faults else CALM)

    def life(self) -> Life:
        """The life itself."""
        happening = self.faults if self.drift is None else (*self.faults, self.drift)
        return Life(self.pipeline, *happening, seed=self.case.seed, start=START, ticks=self.ticks, onset=self.onset)

    @property
    def onset_at(self) -> int:
        """When the first broken batch could be there, microseconds."""
        return START + self.onset * self.pipeline.tick


def _pairs(rng: np.random.Generator) -> Iterator[tuple[str, ...]]:
    while True:
        yield tuple(str(name) for name in rng.choice(PAIRED, 2, replace=False))


def cases(seed: int, quick: bool) -> Sequence[Case]:
    """What is lived in the quick form, a draw from all there is, and in the full one; every life has its own seed."""
    size = 10 if quick else MOST
    rng = np.random.default_rng([seed, 5])
    families, calm = ([str(name) for name in rng.permutation(names)] for names in (list(FAMILIES), UNHARMED))
    drawn = {
        Setting.FULL: zip(cycle(families)),
        Setting.WEAK: zip(cycle(families[::-1])),
        Setting.PAIR: _pairs(rng),
        Setting.CALM: zip(cycle(calm)),
    }
    many = QUICK if quick else {setting: int(share * len(families)) for setting, share in WHOLE.items()}
    lives = [
        (setting, i, names) for setting in Setting for i, names in enumerate(islice(drawn[setting], many[setting]))
    ]
    return [
        Case(
            setting=setting,
            seed=1000 * seed + 1 + n,
            names=names,
            size=max(size, 12) if setting is Setting.PAIR else size,
            apart=setting is Setting.PAIR and (i % 2 > 0 or AFTER in names),
        )
        for n, (setting, i, names) in enumerate(lives)
    ]
