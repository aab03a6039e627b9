"""The names of the taxonomy in words, and texts of strangers made harmless."""

from diagnosis.alert import CauseKind, Grounding, Match, Rejection, Severity, Verdict

KIND = {
    CauseKind.UNKNOWN: "cause unknown",
    CauseKind.SOURCE_DATA: "the data of the source changed",
    CauseKind.SCHEMA_CHANGE: "the schema changed",
    CauseKind.CODE_CHANGE: "a code change",
    CauseKind.CONFIG_CHANGE: "a configuration change",
    CauseKind.FEATURE_STALENESS: "stale features",
    CauseKind.FEATURE_STORE: "the feature store",
    CauseKind.JOIN: "a broken join",
    CauseKind.DUPLICATION: "duplicated rows or batches",
    CauseKind.LATENESS: "late batches",
    CauseKind.SILENCE: "batches stopped coming",
    CauseKind.MODEL_CHANGE: "a model change",
    CauseKind.CONCEPT_SHIFT: "the world changed: outcomes moved, inputs did not",
    CauseKind.CALIBRATION: "the model's scores are no longer calibrated",
    CauseKind.SERVING_SKEW: "features differ between training and serving",
    CauseKind.SERVING_HEALTH: "serving is unhealthy",
}

HEADLINE = {
    CauseKind.UNKNOWN: "Cause unknown; it shows first in {}",
    CauseKind.SOURCE_DATA: "The data changed at the source, {}",
    CauseKind.SCHEMA_CHANGE: "The schema of {} changed",
    CauseKind.CODE_CHANGE: "A code change in {}",
    CauseKind.CONFIG_CHANGE: "A configuration change in {}",
    CauseKind.FEATURE_STALENESS: "Stale features from {}",
    CauseKind.FEATURE_STORE: "Feature store trouble at {}",
    CauseKind.JOIN: "A broken join in {}",
    CauseKind.DUPLICATION: "Duplicated rows or batches in {}",
    CauseKind.LATENESS: "Late batches of {}",
    CauseKind.SILENCE: "No more batches of {}",
    CauseKind.MODEL_CHANGE: "A model change in {}",
    CauseKind.CONCEPT_SHIFT: "The world changed for {}: outcomes moved, inputs did not",
    CauseKind.CALIBRATION: "The scores of {} are no longer calibrated",
    CauseKind.SERVING_SKEW: "Features differ between training and serving at {}",
    CauseKind.SERVING_HEALTH: "Serving is unhealthy at {}",
}

GROUNDING = {
    Grounding.UNKNOWN: "grounding unknown",
    Grounding.PATH_AND_MECHANISM: "path and mechanism found",
    Grounding.PATH_ONLY: "path found, mechanism not proven",
    Grounding.UNGROUNDED: "a guess: nothing connects it to the symptoms yet",
}

VERDICT = {
    Verdict.UNKNOWN: "unknown",
    Verdict.HEALTHY: "healthy",
    Verdict.INHERITED: "inherited",
    Verdict.INTRODUCED: "introduced here",
    Verdict.MASKED: "hidden here",
}

REJECTION = {
    Rejection.UNKNOWN: "ruled out",
    Rejection.NO_PATH: "no path leads from it to the symptoms",
    Rejection.AFTER_ONSET: "it came after the trouble began",
    Rejection.BEFORE_ONSET: "it came long before the trouble began",
    Rejection.EFFECT_TOO_SMALL: "its effect is too small",
    Rejection.SIBLING_UNAFFECTED: "others that depend on it are healthy",
    Rejection.EXPLAINED_BY_PARENT: "what came in explains it",
    Rejection.NO_MECHANISM: "no mechanism links it to what moved",
}

MATCH = {
    Match.UNKNOWN: "",
    Match.EXACT: "",
    Match.PARTITION: "by partition",
    Match.WINDOW: "by time window",
    Match.LATEST: "as the latest before",
}

SEVERITY_STYLE = {
    Severity.UNKNOWN: "bold",
    Severity.INFO: "bold blue",
    Severity.WARNING: "bold yellow",
    Severity.CRITICAL: "bold white on red",
}

VERDICT_STYLE = {
    Verdict.UNKNOWN: "dim",
    Verdict.HEALTHY: "green",
    Verdict.INHERITED: "yellow",
    Verdict.INTRODUCED: "bold red",
    Verdict.MASKED: "magenta",
}


def harmless(text: str) -> str:
    """A text from an event without control characters: it cannot move the cursor or pretend to be ours.

    >>> harmless("ri\\x1b[31mdes")
    'ri�[31mdes'
    """
    return "".join(letter if letter.isprintable() or letter == "\n" else "�" for letter in text)
