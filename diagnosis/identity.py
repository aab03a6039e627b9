"""Names that never change: of findings, alerts and causes."""

from hashlib import blake2b

from detectors.finding import Finding

from diagnosis.alert import Cause

_SEPARATOR = "\x1f"


def digest(*words: str | None) -> str:
    """Return 32 hexadecimal characters that name these words in this order."""
    return blake2b(_SEPARATOR.join(word or "" for word in words).encode(), digest_size=16).hexdigest()


def signature(finding: Finding) -> str:
    """Return what a finding is about, whenever it fires."""
    return _SEPARATOR.join((finding.subject, finding.column or "", finding.segment or "", finding.statistic))


def finding_key(node: str, finding: Finding) -> str:
    """Return the identity of one finding at one node."""
    return _SEPARATOR.join((node, signature(finding), finding.alarm_batch_id))


def alert_id(environment: str, opening: Finding) -> str:
    """Return the id of the alert that a finding opens."""
    return digest(
        environment, opening.subject, opening.column, opening.segment, opening.statistic, opening.alarm_batch_id
    )


def cause_key(environment: str, pipeline: str, cause: Cause) -> str:
    """Return the key that the same fault has whenever it comes back."""
    return digest(environment, pipeline, cause.kind, cause.component, cause.column)
