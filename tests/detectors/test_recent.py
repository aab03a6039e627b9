import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.recalibration import SHELVES, logit, shelf_of
from detectors.recent import BLOCK_ROWS, SPAN_ROWS, Recent, put, told
from detectors.runs import Run

SECOND = 1_000_000


def matured(score, outcome, at):
    n = len(score)
    return Run(
        key=np.arange(1, n + 1, dtype=np.uint64),
        at=np.asarray(at, np.int64),
        score=np.asarray(score, float),
        segment=np.full(n, -1, np.int16),
        outcome=np.asarray(outcome, float),
        released=np.ones(n, bool),
    )


def lived(windows, rows=500, seed=0):
    rng = np.random.default_rng(seed)
    score = rng.random(windows * rows)
    recent = Recent()
    for start in range(0, windows * rows, rows):
        scored = np.bincount(shelf_of(logit(score[start : start + rows])), minlength=SHELVES).astype(float)
        recent = put(recent, scored, start * SECOND, (start + rows - 1) * SECOND)
    return recent, score


@settings(max_examples=30, deadline=None)
@given(windows=st.integers(1, 60), rows=st.sampled_from([100, 500, 700]))
def test_the_last_predictions_are_kept_in_blocks_of_bounded_number(windows, rows):
    recent, _ = lived(windows, rows)
    kept = sum(block.rows for block in recent.blocks)
    assert min(windows * rows, SPAN_ROWS) <= kept < SPAN_ROWS + 2 * BLOCK_ROWS
    assert len(recent.blocks) <= 12


def test_outcomes_take_the_place_of_what_was_missing_and_old_ones_count_no_more():
    recent, score = lived(20)
    at = np.arange(10_000)
    recent = told(recent, matured(score[::2], np.ones(5_000), at[::2] * SECOND))
    assert recent.known[0].sum() == 0
    assert recent.known[1].sum() == recent.missing.sum() == 2_500


def test_outcomes_that_are_no_classes_of_scores_that_are_no_probabilities_are_left_out():
    recent, _ = lived(2)
    recent = told(recent, matured([0.5, 7.0, 0.5], [2.5, 1.0, 1.0], [0, 0, 0]))
    assert recent.known.sum() == 1
