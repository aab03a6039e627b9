"""A pipeline on its way: what is there so far, and random choices among it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from simulation.derivations import Differs, Is, Logarithm, LogRatio, Ratio, Sum
from simulation.draws import Choice, Draw
from simulation.stages import Derivation, Headers, Source, Stage
from simulation.themes import Theme

HOSTS = ("etl-1", "etl-2", "etl-3", "batch-a", "batch-b")
CARRIED = 12  # numbers that a stage of the main line hands on


@dataclass(slots=True, kw_only=True)
class Draft:
    """Datasets so far. main: the last of the line that leads to the model; numbers, categories: the columns it has."""

    rng: np.random.Generator
    theme: Theme
    sources: list[Source] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    main: str = ""
    numbers: list[str] = field(default_factory=list)
    categories: dict[str, tuple[str, ...]] = field(default_factory=dict)
    population: dict[str, Draw] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many datasets there are."""
        return len(self.sources) + len(self.stages)

    def pick(self, names: Sequence[str]) -> str:
        """One of them."""
        return str(self.rng.choice(list(names)))

    def kept(self) -> list[str]:
        """The numbers that the next stage of the main line hands on: the newest."""
        return self.numbers[-CARRIED:]

    def learn(self, columns: Mapping[str, Draw]) -> None:
        """Note what the main line has from now on."""
        for column, draw in columns.items():
            if isinstance(draw, Choice):
                self.categories[column] = tuple(draw.weights)
            else:
                self.numbers.append(column)

    def system(self) -> str:
        """Where a source's data comes from: often a system of its own, sometimes one that is there already."""
        used = [source.system for source in self.sources]
        fresh = [name for name in self.theme.systems if name not in used]
        return self.pick(used if used and (not fresh or self.rng.random() < 0.15) else fresh)

    def headers(self, *, config: bool = False, schema: bool = False) -> Headers:
        """What a stage's runs say of themselves."""
        major, minor, patch = (int(self.rng.integers(1, most)) for most in (7, 20, 10))
        return Headers(
            code_version=f"{major}.{minor}.{patch}",
            config_version=str(self.rng.integers(3, 60)) if config else None,
            schema_version=str(self.rng.integers(2, 9)) if schema else None,
            host=self.pick(HOSTS),
            toggles={"strict_parsing": "off", "trim_outliers": "off"} if config else {},
        )

    def formulas(self, many: int) -> dict[str, Derivation]:
        """So many new columns of what the main line has."""
        found: dict[str, Derivation] = {}
        while len(found) < many:
            name, formula = self._formula()
            if name not in self.numbers:
                found[name] = formula
        return found

    def _formula(self) -> tuple[str, Derivation]:
        first, second = (str(name) for name in self.rng.choice(self.numbers, 2, replace=False))
        alike = [
            pair for pair in (("origin_region", "home_region"), ("zone", "home_zone")) if {*pair} <= {*self.categories}
        ]
        match int(self.rng.integers(6 if self.categories else 4)):
            case 0:
                return f"{first}_log", Logarithm(first)
            case 1:
                return f"{first}_per_{second}", Ratio(first, second)
            case 2:
                return f"{first}_vs_{second}", LogRatio(first, second)
            case 3:
                return f"{first}_and_{second}", Sum(first, second, float(self.rng.choice([1.0, -1.0, 0.5])))
            case 4 if alike:
                return f"{alike[0][0]}_differs", Differs(*alike[0])
        column = self.pick(list(self.categories))
        return f"{column}_is_{(name := self.pick(self.categories[column]))}", Is(column, name)
