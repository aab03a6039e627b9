"""Which input columns carry the shift of a model's scores, from the gauges of its windows since the onset."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from diagnosis.alert import Contribution, Impact
from diagnosis.intake import model_key
from diagnosis.lineage import Lineage
from diagnosis.observation import Micros

_GAUGE = "score_share:"
_WINDOWS = 32  # averaged, the newest
_WORTH = 0.05  # of the shift: less is not told
_MOST = 5


def with_attribution(lineage: Lineage, impact: Impact, since: Micros, known: Impact | None) -> Impact:
    """Add the columns that carry the shift; what is already known stays once windows are forgotten.

    The first model whose scores shifted speaks where several are hit.
    """
    for name in impact.models:
        key = model_key(name)
        windows = lineage.ring(key)[lineage.until(key, since - 1) :]
        if found := carried(window.gauges for window in windows[-_WINDOWS:]):
            return replace(impact, attribution=found)
    return replace(impact, attribution=known.attribution) if known is not None else impact


def carried(windows: Iterable[Mapping[str, float]]) -> tuple[Contribution, ...]:
    """Return the mean share of each column over the windows that tell any, the largest first."""
    told = [found for gauges in windows if (found := _shares(gauges))]
    names = sorted({name for found in told for name in found})
    means = {name: sum(found.get(name, 0.0) for found in told) / len(told) for name in names}
    most = sorted((name for name in names if abs(means[name]) >= _WORTH), key=lambda name: -abs(means[name]))[:_MOST]
    return tuple(Contribution(column=name, share=round(means[name], 3)) for name in most)


def _shares(gauges: Mapping[str, float]) -> dict[str, float]:
    return {name.removeprefix(_GAUGE): share for name, share in gauges.items() if name.startswith(_GAUGE)}
