"""How a model has done of late: its last 5,000 predictions, with outcomes where they are in and estimates elsewhere."""

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from detectors.finding import Micros
from detectors.recalibration import SHELVES, Floats, logit, shelf_of
from detectors.runs import Run

BLOCK_ROWS: Final = 1_000
SPAN_ROWS: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """Predictions of one stretch of time; 6 kB.

    scored: by logit of the score, shape ``(256,)``; known: their outcomes 0 and 1, shape ``(2, 256)``.
    """

    since: Micros
    until: Micros
    scored: Floats
    known: Floats = field(default_factory=lambda: np.zeros((2, SHELVES)))

    @property
    def rows(self) -> float:
        """How many predictions it holds."""
        return float(self.scored.sum())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recent:
    """The blocks of the last predictions, oldest first; at most twelve, 72 kB."""

    blocks: tuple[Block, ...] = ()

    @property
    def missing(self) -> Floats:
        """Predictions whose outcome is not known, by logit of their score, shape ``(256,)``."""
        missing = np.zeros(SHELVES)
        for block in self.blocks:
            missing = missing + np.maximum(block.scored - block.known.sum(axis=0), 0.0)
        return missing

    @property
    def known(self) -> Floats:
        """Outcomes 0 and 1 by logit of their score, shape ``(2, 256)``."""
        known = np.zeros((2, SHELVES))
        for block in self.blocks:
            known = known + block.known
        return known


def put(recent: Recent, scored: Floats, since: Micros, until: Micros) -> Recent:
    """Take in a window of predictions; whole blocks leave at the other end while 5,000 predictions remain."""
    *older, last = recent.blocks or (Block(since=since, until=until, scored=np.zeros(SHELVES)),)
    if last.rows + float(scored.sum()) > BLOCK_ROWS:
        older, last = [*older, last], Block(since=since, until=until, scored=np.zeros(SHELVES))
    last = replace(last, until=max(until, last.until), scored=last.scored + scored)
    held = [*older, last]
    while len(held) > 1 and sum(block.rows for block in held[1:]) >= SPAN_ROWS:
        held = held[1:]
    return Recent(blocks=tuple(held))


def told(recent: Recent, matured: Run) -> Recent:
    """Take in outcomes (0 or 1) of probabilities that have matured; those of older predictions count no more."""
    sound = (matured.score >= 0.0) & (matured.score <= 1.0) & np.isin(matured.outcome, (0.0, 1.0))
    place = shelf_of(logit(matured.score)) + SHELVES * (matured.outcome > 0.5)
    blocks = []
    for block in recent.blocks:
        mine = sound & (matured.at >= block.since) & (matured.at <= block.until)
        counted = np.bincount(place[mine], minlength=2 * SHELVES).reshape(2, SHELVES)
        blocks.append(replace(block, known=block.known + counted) if mine.any() else block)
    return Recent(blocks=tuple(blocks))
