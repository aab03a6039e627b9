"""A dataset under watch: rows to summary, and the fold of summaries into state and findings.

``summarise`` does all arithmetic on rows; ``fold`` is pure and sees summaries alone, so that state can be rebuilt
from a journal of them.
"""

from dataclasses import replace

from detectors.acceptance import accept_column, accept_subject
from detectors.batch import BatchInput, Micros
from detectors.checks import Claim, check, delivered, digest, duplicate, known_place
from detectors.column import summarise_columns
from detectors.judge import judge, remember
from detectors.judgement import Judgement
from detectors.life import exact_findings, standing
from detectors.parts import gather, overdue
from detectors.sampled import row_keys, sample
from detectors.state import POOL_ROWS, BatchSummary, DatasetState, Policy

__all__ = [
    "BatchSummary",
    "DatasetState",
    "Policy",
    "accept",
    "complete",
    "fold",
    "is_due",
    "pin",
    "start",
    "statistics",
    "summarise",
]


def start(subject: str) -> DatasetState:
    """The state of a dataset of which nothing has been seen."""
    return DatasetState(subject=subject)


def summarise(state: DatasetState, batch: BatchInput, pool_rows: int = POOL_ROWS) -> BatchSummary:
    """Reduce a batch, or a part of one, to what a fold needs, counted against the references of ``state``.

    pool_rows: a batch of fewer rows will be judged together with others.
    """
    references = {name: column.reference for name, column in state.columns.items()}
    return BatchSummary(
        subject=batch.subject,
        batch_id=batch.batch_id,
        at=batch.at,
        arrived_at=batch.arrived_at,
        rows=batch.rows,
        parts=(batch.part_index,),
        part_of=batch.part_of,
        replaces=batch.replaces,
        attempt=batch.attempt,
        window_start=batch.window_start,
        window_end=batch.window_end,
        backfill=batch.backfill,
        columns=summarise_columns(batch.columns, references, piece=batch.part_of > 1 or batch.rows < pool_rows),
        sample=sample(batch.columns, references, row_keys(f"{batch.batch_id}/{batch.part_index}", batch.rows)),
    )


def fold(state: DatasetState, summary: BatchSummary, policy: Policy) -> tuple[DatasetState, Judgement | None]:
    """Fold one summary into the state: the new state, and one judgement per batch (``None`` while parts are missing).

    Pure: ``state`` stays as it was. A batch that is delivered again changes nothing; one that is produced again is told
    and counts once; batches that are older than the order allows are reported ``late`` and change no statistic.
    """
    if summary.part_of > 1:
        if known_place(state, summary.batch_id) is not None and summary.replaces is None:
            return state, None  # a part of a batch that is already judged
        state, whole = gather(state, summary)
        if whole is None:
            return state, None
        summary = whole
    fingerprint = digest(summary)
    if delivered(state, summary, fingerprint):
        return state, Judgement(findings=standing(state), late=True)
    claims: list[Claim] = []
    if (claim := duplicate(state, summary, fingerprint)) is not None:
        claims.append(claim)
    waited = overdue(state, summary.arrived_at, policy.parts_wait_s)
    state, incomplete = _give_up(state, tuple(held for held in waited if held.at <= summary.at))
    claims += incomplete + check(state, summary, policy)
    return judge(state, summary, claims, fingerprint, policy)


def _give_up(state: DatasetState, late: tuple[BatchSummary, ...]) -> tuple[DatasetState, list[Claim]]:
    if not late:
        return state, []
    rest = tuple(held for held in state.open if held not in late)
    return replace(state, open=rest), [_incomplete(held) for held in late]


def _incomplete(batch: BatchSummary) -> Claim:
    there, of = len(batch.parts), batch.part_of
    sentence = f"only {there} of {of} parts of a batch have come"
    return Claim(statistic="incomplete_batch", sentence=sentence, observed=there, expected=of)


def is_due(state: DatasetState, now: Micros, policy: Policy) -> bool:
    """Whether ``complete`` has parts to give up on."""
    return bool(overdue(state, now, policy.parts_wait_s))


def complete(
    state: DatasetState, now: Micros, policy: Policy
) -> tuple[DatasetState, tuple[tuple[BatchSummary, Judgement], ...]]:
    """Give up on parts that are missing from batches whose latest part arrived ``parts_wait_s`` before ``now``.

    Each such batch is remembered and reported with an ``incomplete_batch`` finding; what came of it trains nothing.
    """
    judged = []
    for held in overdue(state, now, policy.parts_wait_s):
        state = replace(state, open=tuple(other for other in state.open if other is not held))
        state = remember(exact_findings(state, held, [_incomplete(held)]), held, digest(held), -1, policy)
        judged.append(
            (held, Judgement(findings=standing(state), warming_up=state.steps < policy.warm_up(state.pooled)))
        )
    return state, tuple(judged)


def accept(state: DatasetState, column: str | None, at: Micros) -> DatasetState:
    """The new normal: forget what ``column`` (or the whole subject) used to look like; it is learnt afresh.

    The columns stay known. One whose values still lie in its reference bins only starts its baseline again.
    at: event time of the acceptance of a whole subject; its exact findings that began later are kept.
    """
    return accept_subject(state, at) if column is None else accept_column(state, column)


def pin(state: DatasetState, until: Micros) -> DatasetState:
    """Declare batches up to event time ``until`` to be the reference: they train the baseline and never alarm."""
    return replace(state, pinned_until=until)


def statistics(state: DatasetState) -> int:
    """Live statistics, each of which takes its share of the false-alarm budget."""
    return len(state.table)
