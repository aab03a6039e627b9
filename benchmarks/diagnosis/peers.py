"""Dummies and plain rules that name a place, from the same observations that diagnosis read.

Each is told ``since`` when (event time) something is wrong, as somebody would be who asks after an alert.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from diagnosis.observation import Observation
from diagnosis.provenance import ObservationKind

Ranking = list[str]


def _names(seen: Iterable[Observation]) -> Ranking:
    return sorted({one.name for one in seen if one.name and one.kind is not ObservationKind.CHANGE})


def _by(seen: Sequence[Observation], worth: Mapping[str, float], rng: np.random.Generator) -> Ranking:
    """Largest worth first, those without any and equals in random order."""
    names = _names(seen)
    order = rng.permutation(len(names))
    return [names[i] for i in sorted(order, key=lambda i: -worth.get(names[i], -np.inf))]


def random(seen: Sequence[Observation], since: int, rng: np.random.Generator) -> Ranking:
    """Any order."""
    del since
    return _by(seen, {}, rng)


def largest_deviation(seen: Sequence[Observation], since: int, rng: np.random.Generator) -> Ranking:
    """By the largest standardised reading."""
    worth: dict[str, float] = {}
    for one in seen:
        if one.at < since:
            continue
        z = np.abs(one.readings.z[np.isfinite(one.readings.z)])
        worth[one.name] = max([worth.get(one.name, 0.0), *z.tolist()])
    return _by(seen, worth, rng)


def _onsets(seen: Sequence[Observation], since: int) -> dict[str, int]:
    """The first onset of each, without what was found in healthy days and has stayed."""
    onsets: dict[str, int] = {}
    for one in seen:
        for finding in one.findings if one.at >= since else ():
            if finding.alarm_at < since:
                continue
            onsets[one.name] = min(onsets.get(one.name, finding.onset_latest), finding.onset_latest)
    return onsets


def earliest_onset(seen: Sequence[Observation], since: int, rng: np.random.Generator) -> Ranking:
    """By the onset of the first finding."""
    return _by(seen, {name: -float(at) for name, at in _onsets(seen, since).items()}, rng)


def nearest_change(seen: Sequence[Observation], since: int, rng: np.random.Generator) -> Ranking:
    """By how near a change, announced or seen in versions, lies to the first onset."""
    first = min(_onsets(seen, since).values(), default=since)
    versions: dict[str, Mapping[str, str]] = {}
    worth: dict[str, float] = {}
    for one in seen:
        moved = one.name in versions and dict(one.versions) != dict(versions[one.name])
        if one.kind is ObservationKind.CHANGE and one.change is not None:
            name, at = one.change.component, one.change.at
        elif moved and one.kind is not ObservationKind.OUTCOMES:
            name, at = one.name, one.at
        else:
            name, at = "", 0
        if name:
            worth[name] = max(worth.get(name, -np.inf), -abs(float(at - first)))
        if one.versions and one.kind is not ObservationKind.OUTCOMES:
            versions[one.name] = one.versions
    return _by(seen, worth, rng)


def _ancestors(seen: Sequence[Observation]) -> dict[str, set[str]]:
    parents: dict[str, set[str]] = {}
    for one in seen:
        parents.setdefault(one.name, set()).update(parent.dataset for parent in one.parents)
    reached: dict[str, set[str]] = {}
    for name in parents:
        waiting, found = [name], set[str]()
        while waiting:
            new = parents.get(waiting.pop(), set()) - found
            found |= new
            waiting += new
        reached[name] = found - {name}
    return reached


def upstream_first(seen: Sequence[Observation], since: int, rng: np.random.Generator) -> Ranking:
    """Those with findings, the ones with the fewest such ancestors first, then by onset."""
    onsets, ancestors = _onsets(seen, since), _ancestors(seen)
    last = float(max(onsets.values(), default=0)) + 1
    worth = {name: -len(ancestors[name] & onsets.keys()) - at / last for name, at in onsets.items()}
    return _by(seen, worth, rng)


PEERS: dict[str, Callable[[Sequence[Observation], int, np.random.Generator], Ranking]] = {
    "random": random,
    "largest deviation": largest_deviation,
    "earliest onset": earliest_onset,
    "nearest change": nearest_change,
    "upstream first": upstream_first,
}
