"""Was it right? What was broken against what was said."""

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


def is_right(fault: Fault, alert: Alert | None) -> bool:
    """Whether a firing, diagnosed alert names kind, component and (where the fault is in one) column."""
    if alert is None or alert.status is not Status.FIRING:
        return False
    if alert.stage_of_diagnosis is not StageOfDiagnosis.DIAGNOSED:
        return False
    said, expected = blame_of(alert), expected_of(fault)
    same_place = (said.kind, said.component) == (expected.kind, expected.component)
    return same_place and expected.column in (None, said.column)
