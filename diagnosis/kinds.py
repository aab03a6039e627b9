"""What kind of fault began at a node: the rules that apply, the most telling first."""

from collections.abc import Callable

from diagnosis.alert import CauseKind
from diagnosis.dataset_rules import (
    acted_upon,
    at_a_stage,
    at_the_source,
    badly_joined,
    duplicated,
    late,
    restructured,
    rows_doubled,
    silent,
)
from diagnosis.model_rules import (
    concept_moved,
    miscalibrated,
    overconfident,
    scores_moved,
    serving_unwell,
    skewed,
    stopped,
    store_unwell,
    swapped,
)
from diagnosis.scene import Kind, Scene, column_of
from diagnosis.state import NodeKind

Rule = Callable[[Scene], Kind | None]
RULES: dict[NodeKind, tuple[Rule, ...]] = {
    NodeKind.DATASET: (
        silent,
        duplicated,
        late,
        restructured,
        badly_joined,
        rows_doubled,
        acted_upon,
        at_the_source,
        at_a_stage,
    ),
    NodeKind.MODEL: (
        stopped,
        restructured,
        swapped,
        store_unwell,
        serving_unwell,
        acted_upon,
        skewed,
        miscalibrated,
        scores_moved,
    ),
    NodeKind.OUTCOMES: (swapped, acted_upon, overconfident, concept_moved),
}


def kind_of(scene: Scene) -> Kind:
    """Return the kind of fault that the first rule which applies names."""
    if scene.trace.awaited:
        why = "the batches it was made from have not come yet"
        column = column_of(scene.strongest())
        return Kind(kind=CauseKind.UNKNOWN, confidence=0.2, why=why, column=column, mechanism=False)
    for rule in RULES[scene.node.kind]:
        kind = rule(scene)
        if kind is not None:
            return kind
    return Kind(kind=CauseKind.UNKNOWN, confidence=0.2, why="nothing observed explains it", mechanism=False)
