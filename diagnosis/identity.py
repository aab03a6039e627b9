"""Names that never change: of findings, alerts and causes."""

from collections.abc import Iterable
from hashlib import blake2b

from detectors.finding import Finding

from diagnosis.alert import Cause

_SEPARATOR = "\x1f"
ABSENCE = frozenset({"silence", "feature_age"})
"""Of a dataset: it is no longer renewed, which explains whatever its children show that go on reading it."""
TIMING = frozenset({"lateness", "out_of_order", "window_gap", "window_overlap", "gap", "clock"})
"""Batches come when they should not: one disorder, whichever of these a batch shows."""


def digest(*words: str | None) -> str:
    """Return 32 hexadecimal characters that name these words in this order."""
    return blake2b(_SEPARATOR.join(word or "" for word in words).encode(), digest_size=16).hexdigest()


def signature(finding: Finding) -> str:
    """Return what a finding is about, whenever it fires."""
    return _SEPARATOR.join((finding.subject, finding.column or "", finding.segment or "", finding.statistic))


def concern(column: str, statistic: str) -> str:
    """Return what two findings of a node have in common if they are about one thing: a column, or what is wrong."""
    return column or ("timing" if statistic in TIMING else statistic)


def concerns(subject: str, signatures: Iterable[str]) -> frozenset[str]:
    """Return what the findings of a subject are about, of which these are the signatures."""
    parts = (name.split(_SEPARATOR) for name in signatures)
    return frozenset(concern(column, statistic) for of, column, _, statistic in parts if of == subject)


def finding_key(node: str, finding: Finding) -> str:
    """Return the identity of one finding at one node."""
    return key_at(node, finding_name(finding))


def finding_name(finding: Finding) -> str:
    """Return the identity of one finding, whatever its node is called."""
    return _SEPARATOR.join((signature(finding), finding.alarm_batch_id))


def subject_of(name: str) -> str:
    """Return what a finding of this name is about: ``pipeline/dataset`` or ``pipeline/model``."""
    return name.partition(_SEPARATOR)[0]


def key_at(node: str, name: str) -> str:
    """Return the identity of a finding of this name at one node."""
    return _SEPARATOR.join((node, name))


def alert_id(environment: str, opening: Finding) -> str:
    """Return the id of the alert that a finding opens."""
    return digest(
        environment, opening.subject, opening.column, opening.segment, opening.statistic, opening.alarm_batch_id
    )


def cause_key(environment: str, pipeline: str, cause: Cause) -> str:
    """Return the key that the same fault has whenever it comes back."""
    return digest(environment, pipeline, cause.kind, cause.component, cause.column)
