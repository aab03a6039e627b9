"""What a task wants to happen, gathered before any of it becomes visible."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TypeAlias

from streams.kafka.transaction import Output

Labels: TypeAlias = tuple[str, ...]
Series: TypeAlias = tuple[str, Labels]


@dataclass(slots=True)
class Reaction:
    """The effects of some chunks: all of them happen, or none.

    outputs: records to write. steps: (subject, folded step) for the journal. counts, gauges: metric series by (name,
    label values), to be counted once the transaction is through.
    """

    outputs: list[Output] = field(default_factory=list)
    steps: list[tuple[str, bytes]] = field(default_factory=list)
    counts: Counter[Series] = field(default_factory=Counter)
    gauges: dict[Series, float] = field(default_factory=dict)

    def count(self, name: str, *labels: str, by: float = 1) -> None:
        """Add to a counter."""
        self.counts[(name, labels)] += by  # type: ignore[assignment]  # a Counter of floats works, typeshed says int

    def gauge(self, name: str, *labels: str, value: float) -> None:
        """Set a gauge."""
        self.gauges[(name, labels)] = value

    @property
    def empty(self) -> bool:
        """Whether nothing would become visible."""
        return not (self.outputs or self.steps)
