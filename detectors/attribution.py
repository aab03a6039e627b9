"""Which features carry a shift of the scores, and how much of it none of them does.

Rows of calm windows and of a shifted one are regressed together, score on features, with a mean of its own for either
side. A feature's contribution is its coefficients times the shift of its means: its Shapley value in a linear model
(Lundberg and Lee 2017). What the means keep besides is not carried by features: the model itself, or a curve (the
decomposition of Oaxaca and of Blinder, 1973, with pooled coefficients as Jann 2008 has them).
"""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from detectors.model_columns import SCORE, feature_of
from detectors.polynomials import polynomials
from detectors.reference import CUTS, Floats, Reference
from detectors.sampled import INFINITE, MISSING, NEW, Cells, Codes, Rows, aligned
from detectors.state import DatasetState

FEATURES = 64  # looked at, the first of them
LEAST = 50  # rows on either side: fewer determine no coefficients
HELD = 10  # rows of a category, or without a value, from which on it has a coefficient
PENALTY = 10.0  # rows that say that a feature does nothing
SURE = 3.0  # standard errors from which on a shift, or a contribution to it, is one
WORTH = 0.05  # of the shift: less is not told


def score_shares(inputs: DatasetState, rows: Rows) -> dict[str, float]:
    """Gauges ``score_share:feature`` of a window whose scores have moved; ``inputs``: scores and features."""
    moved = next((one for one in inputs.active if (one.column, one.statistic) == (SCORE, "location")), None)
    if moved is None:
        return {}
    references = {name: column.reference for name, column in inputs.columns.items()}
    shares = attribute(inputs.calm.until(moved.onset_earliest), rows.cells, references, SCORE)
    return {f"score_share:{feature_of(column)}": share for column, share in shares.items()}


def attribute(calm: Cells, now: Cells, references: Mapping[str, Reference], score: str) -> dict[str, float]:
    """Return the share of the shift of ``score`` that each feature carries, signed, without those that are no matter.

    They sum to less than 1 where features do not carry all of it. Empty: the scores have not moved, their shift follows
    from no feature, or the rows are too few. references: of the columns; ``calm`` and ``now`` hold their codes.
    """
    held = [name for name in now.names if name in references and name != score][:FEATURES]
    like = Cells(
        names=(score, *held),
        reference=np.array([references[name].identity for name in (score, *held) if name in references], np.uint32),
    )
    if score not in references or min(len(calm.code), len(now.code)) < LEAST or not held:
        return {}
    before, after = aligned(calm, like), aligned(now, like)
    side = np.repeat([False, True], [len(before), len(after)])
    codes = np.concatenate([before, after])
    scores = _worth(references[score])[codes[:, 0]]
    told = np.isfinite(scores)
    if min(told[~side].sum(), told[side].sum()) < LEAST:
        return {}
    blocks = [_regressors(references[name], codes[told, place + 1]) for place, name in enumerate(held)]
    contributed, error, shift, shift_error = _decomposed(np.hstack(blocks), scores[told], side[told], blocks)
    sure = np.abs(contributed) > SURE * error
    whole = float(contributed[sure].sum())
    if abs(shift) < SURE * shift_error or whole * shift <= 0.0:
        return {}
    of = whole if abs(whole) > abs(shift) else shift  # a line may overshoot where scores have an end
    shares = {name: float(part / of) for name, part, is_sure in zip(held, contributed, sure, strict=True) if is_sure}
    return {name: share for name, share in shares.items() if abs(share) >= WORTH}


def _worth(reference: Reference) -> Floats:
    """What the code of a number adds to the location of its column, shape ``(256,)``; NaN where there is no number."""
    worth = np.full(256, np.nan)
    worth[: CUTS + 1] = polynomials([reference])[0, :, 0]
    return worth


def _regressors(reference: Reference, code: Codes) -> Floats:
    """What a row's value says of its score, shape ``(rows, k)``: a line and a bend, or which category it is."""
    kinds = (*range(NEW + 1), MISSING) if reference.kind == "category" else (MISSING, INFINITE)
    shapes = np.zeros((256, 2))
    if reference.kind == "number":
        shapes[: CUTS + 1] = polynomials([reference])[0, :, :2]
    return np.column_stack([shapes[code], *(code == kind for kind in kinds if (code == kind).sum() >= HELD)])


def _decomposed(
    regressors: Floats, scores: Floats, side: NDArray[np.bool_], blocks: list[Floats]
) -> tuple[Floats, Floats, float, float]:
    """Contribution of each block of regressors and its standard error; shift of the scores and its standard error."""
    apart = regressors[side].mean(axis=0) - regressors[~side].mean(axis=0)
    within, rest = _centred(regressors, side), _centred(scores[:, None], side)[:, 0]
    gram = within.T @ within
    inverse = np.linalg.inv(gram + PENALTY * np.eye(len(gram)))
    coefficients = inverse @ (within.T @ rest)
    variance = float(((rest - within @ coefficients) ** 2).sum()) / max(1, len(rest) - len(gram) - 2)
    uncertain = variance * inverse @ gram @ inverse
    ends = np.cumsum([0, *(block.shape[1] for block in blocks)])
    parts = [slice(start, end) for start, end in pairwise(ends)]
    contributed = np.array([apart[part] @ coefficients[part] for part in parts])
    drawn = gram / len(rest) * (1 / side.sum() + 1 / (~side).sum())  # means of few rows are apart by chance too
    error = np.sqrt(
        [
            apart[part] @ uncertain[part, part] @ apart[part]
            + coefficients[part] @ drawn[part, part] @ coefficients[part]
            for part in parts
        ]
    )
    shift = float(scores[side].mean() - scores[~side].mean())
    spread = scores[side].var() / side.sum() + scores[~side].var() / (~side).sum()
    return contributed, error, shift, float(np.sqrt(spread))


def _centred(values: Floats, side: NDArray[np.bool_]) -> Floats:
    """Values about the mean of their own side."""
    means = np.where(side[:, None], values[side].mean(axis=0), values[~side].mean(axis=0))
    centred: Floats = values - means
    return centred
