"""What was published beside what would be: alert by alert, revision by revision."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from diagnosis.alert import Alert, Cause
from schemas import Codec


class Verdict(StrEnum):
    """How an alert and its replay compare."""

    SAME = "same"  # every revision, to the last byte
    DIFFERS = "differs"
    MISSING = "missing"  # it was published, and would not be
    NEW = "new"  # it would be published, and was not


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One fault: the revisions that were published, and those of the replay; one of the two may be empty."""

    published: tuple[Alert, ...]
    replayed: tuple[Alert, ...]
    verdict: Verdict

    @property
    def latest(self) -> Alert:
        """What the replay says last; where it says nothing, what was published last."""
        return (self.replayed or self.published)[-1]

    @property
    def changed(self) -> dict[str, tuple[str, str]]:
        """What differs, in words: what was published last, and what the replay says last."""
        if self.verdict is not Verdict.DIFFERS:
            return {}
        before, after = _facts(self.published), _facts(self.replayed)
        return {name: (before[name], after[name]) for name in before if before[name] != after[name]}


def compare(published: Iterable[Alert], replayed: Iterable[Alert]) -> list[Compared]:
    """Every alert, in the order in which the alerts were detected.

    One that goes by another id on the other side, because it was opened by another finding, is recognised by its cause.
    """
    codec = Codec("alert", Alert)
    was, would = _revisions(published), _revisions(replayed)
    found = []
    for before, after in _pairs(was, would):
        same = [codec.encode(one) for one in before] == [codec.encode(one) for one in after]
        verdict = Verdict.NEW if not before else Verdict.MISSING if not after else Verdict.DIFFERS
        found.append(Compared(published=before, replayed=after, verdict=Verdict.SAME if same else verdict))
    return sorted(found, key=lambda one: (one.latest.detected_at, one.latest.alert_id))


Revisions = tuple[Alert, ...]


def _pairs(was: Mapping[str, Revisions], would: Mapping[str, Revisions]) -> Iterator[tuple[Revisions, Revisions]]:
    causes: dict[tuple[str, str], list[Revisions]] = {}
    for name, revisions in would.items():
        if name not in was:
            causes.setdefault(_cause(revisions), []).append(revisions)
    for name, revisions in was.items():
        others = causes.get(_cause(revisions), []) if name not in would else []
        yield revisions, would.get(name) or (others.pop(0) if others else ())
    for left in causes.values():
        yield from (((), revisions) for revisions in left)


def _revisions(alerts: Iterable[Alert]) -> dict[str, Revisions]:
    found: dict[str, dict[int, Alert]] = {}
    for alert in alerts:
        found.setdefault(alert.alert_id, {})[alert.revision] = alert
    return {name: tuple(by_number[number] for number in sorted(by_number)) for name, by_number in found.items()}


def _cause(revisions: Revisions) -> tuple[str, str]:
    return revisions[-1].pipeline, revisions[-1].cause_key


def _facts(revisions: Sequence[Alert]) -> dict[str, str]:
    alert = revisions[-1]
    return {
        "id": alert.alert_id,
        "revisions": str(len(revisions)),
        "status": alert.status.value,
        "severity": alert.severity.value,
        "cause": _place(alert.cause),
        "title": alert.title,
        "suspects": ", ".join(map(_place, alert.suspects)) or "none",
        "symptoms": str(len(alert.symptoms)),
        "predictions": f"{alert.impact.predictions_affected:,}",
    }


def _place(cause: Cause) -> str:
    where = cause.component if cause.column is None else f"{cause.component}.{cause.column}"
    return f"{cause.kind.value} in {where}"
