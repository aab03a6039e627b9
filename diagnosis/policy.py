"""What the owner of a worker decides about diagnosis: bounds, patience and thresholds."""

from dataclasses import dataclass

from diagnosis.observation import Micros

MINUTE: Micros = 60_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Settings of diagnosis; every default works.

    environment: goes into every alert and its id. runbook_url, console_url, dashboard_url: templates with ``{kind}``,
    ``{alert_id}``, ``{pipeline}`` and ``{component}``.

    Bounds. ring_batches, ring_bytes: what is remembered per dataset or model, whichever ends first. max_nodes:
    datasets and models per pipeline. max_findings, max_faults, max_changes: findings followed, alerts remembered
    (open and closed), changes remembered. max_symptoms: findings listed in one alert. max_hops: length of a path.

    Patience. settle_batches, settle_s: an alert whose cause stays unsupported is called ``DIAGNOSED`` after so
    many further observations of its subjects, or so long after it was detected (arrival time). resolve_batches:
    consecutive observations of each subject without the finding before the alert resolves. flap_batches: an alert that
    resolved within so many usual gaps of its subject is opened again instead of a new one. tell_share: an alert tells
    its numbers again, with a tick, once what it told is older than this share of its own age, and at any time where
    they are off by half.

    Retest. retest_alpha: chance, per node, that a healthy node looks deviating. retest_batches: most batches averaged.
    pairs: matched healthy parent/child batches needed before a mechanism is learnt from them. onset_tolerance_gaps:
    slack, in usual gaps of the dataset, when two onsets are compared or a change is held against an onset.

    Silence. silence_gaps: usual gaps that make a dataset overdue; silence_history: gaps needed to know the usual one.

    Severity. harmless_effect: largest absolute effect (standard deviations of one row) that is still called harmless.
    """

    environment: str = "production"
    runbook_url: str | None = None
    console_url: str | None = None
    dashboard_url: str | None = None
    ring_batches: int = 256
    ring_bytes: int = 1_000_000
    max_nodes: int = 256
    max_findings: int = 1_024
    max_faults: int = 64
    max_changes: int = 256
    max_symptoms: int = 64
    max_hops: int = 64
    settle_batches: int = 5
    settle_s: float = 300.0
    resolve_batches: int = 5
    flap_batches: int = 30
    tell_share: float = 0.25
    retest_alpha: float = 1e-3
    retest_batches: int = 16
    pairs: int = 16
    onset_tolerance_gaps: float = 3.0
    silence: bool = True
    silence_gaps: float = 4.0
    silence_history: int = 8
    harmless_effect: float = 0.1

    def patience(self, usual_gap: Micros) -> float:
        """Return for how long something that comes so often is waited for, in microseconds of arrival time."""
        return self.settle_s * 1e6 + self.settle_batches * usual_gap
