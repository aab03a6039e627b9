"""Was it right? What was broken against what was said."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from diagnosis.alert import Alert, StageOfDiagnosis, Status
from simulation.faults import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """A kind of cause, where it is, and in which column, if in one."""

    kind: str
    component: str
    column: str | None = None

    def words(self) -> str:
        """For people."""
        place = f"{self.component}.{self.column}" if self.column else self.component
        return f"{self.kind} at {place}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a demo ended; ``said`` is None without a diagnosed alert. Seconds are of the clock on the wall."""

    fault: str
    expected: Blame
    said: Blame | None
    right: bool
    seconds_to_alert: float | None
    seconds: float

    def as_json(self) -> dict[str, object]:
        """The closing object of ``--json``."""
        return asdict(self)


def expected_of(fault: Fault) -> Blame:
    """What diagnosis should say of a fault."""
    return Blame(kind=fault.kind, component=fault.component, column=fault.column)


def blame_of(alert: Alert) -> Blame:
    """What an alert says."""
    return Blame(kind=str(alert.cause.kind), component=alert.cause.component, column=alert.cause.column)


def is_right(fault: Fault, alerts: Iterable[Alert]) -> bool:
    """Whether every firing alert names kind, component and (where the fault is in one) column, and one is diagnosed.

    alerts: the latest revision of each.
    """
    firing = [alert for alert in alerts if alert.status is Status.FIRING]
    diagnosed = any(alert.stage_of_diagnosis is StageOfDiagnosis.DIAGNOSED for alert in firing)
    return diagnosed and all(_names(fault, blame_of(alert)) for alert in firing)


def _names(fault: Fault, said: Blame) -> bool:
    same_place = said.kind in fault.kinds and said.component == fault.component
    return same_place and fault.column in (None, said.column)
