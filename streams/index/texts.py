"""The texts under which records of the log are written, and by which they are found."""

from typing import TypeAlias

from diagnosis.provenance import Parent
from streams.index.keys import Micros
from streams.index.stored import StoredParent

Named: TypeAlias = Parent | StoredParent


def id_text(batch_id: str) -> str:
    """A batch id of whatever dataset."""
    return f"i\n{batch_id}"


def batch_text(pipeline: str, dataset: str, batch_id: str) -> str:
    """One batch."""
    return f"b\n{pipeline}\n{dataset}\n{batch_id}"


def partition_text(pipeline: str, dataset: str, partition: str) -> str:
    """The batches of one partition of a table."""
    return f"t\n{pipeline}\n{dataset}\n{partition}"


def prediction_text(prediction_id: str) -> str:
    """One prediction."""
    return f"p\n{prediction_id}"


def child_text(parent: Named, pipeline: str) -> str:
    """The children of a batch as they name it: by id or by partition."""
    where = f"{parent.pipeline or pipeline}\n{parent.dataset}"
    return f"q\n{where}\n{parent.partition}" if parent.batch_id is None else f"c\n{where}\n{parent.batch_id}"


def is_loose(parent: Named) -> bool:
    """Whether a parent is named only by its dataset, or by a span of time."""
    return parent.batch_id is None and parent.partition is None


def window_start(parent: Named, at: Micros) -> Micros | None:
    """From when on the batches that a child made ``at`` names by a window count; None if it names no window."""
    if parent.window_start is None and parent.window_end is None:
        return None
    return min(at, parent.window_end or at) if parent.window_start is None else parent.window_start
