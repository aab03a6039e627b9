"""The model at the end: a logistic scorer that is calibrated while nothing is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simulation.columns import Floats, Table, number, rows_of


@dataclass(frozen=True, slots=True)
class Term:
    """A feature's share of the logit: ``weight`` times its standardised value; missing counts as average."""

    weight: float
    centre: float = 0.0
    scale: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A binary scorer of the rows of ``reads``.

    calls: scoring calls per batch, of ``rows_per_call`` rows each. outcome_delay: an outcome comes at least and at
    most so many ticks later, evenly in between. outcomes_known: the share of predictions that ever get an outcome.
    """

    name: str
    reads: str
    bias: float
    terms: Mapping[str, Term]
    version: str = "1"
    code_version: str | None = None
    calls: int = 3
    rows_per_call: int = 170
    outcome_delay: tuple[float, float] = (0.5, 2.0)
    outcomes_known: float = 0.95

    def logits(self, features: Table) -> Floats:
        """Log-odds of the positive class, shape ``(rows,)``."""
        total = np.full(rows_of(features), self.bias)
        for name, term in self.terms.items():
            total += term.weight * np.nan_to_num((number(features, name) - term.centre) / term.scale, nan=0.0)
        return total


def probability(logits: Floats) -> Floats:
    """The logistic function; beyond log-odds of 30 nothing is surer."""
    return 1.0 / (1.0 + np.exp(-np.clip(logits, -30.0, 30.0)))
