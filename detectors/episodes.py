"""How often a subject alarms: the measured rate that stands beside the requested one."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite

from detectors.finding import Finding, Micros

MONTH = 30 * 86_400_000_000
MOST = 100  # 0.9 KB: more episodes than that in a month are not told apart from as many


@dataclass(frozen=True, slots=True, kw_only=True)
class Episodes:
    """When a subject began to alarm: one episode while any of its findings lasts, as one fault moves many statistics.

    began: event times within a month of the newest, at most 100 of them. lasting: whether the last one is not over.
    """

    began: tuple[Micros, ...] = ()
    lasting: bool = False


def observe(episodes: Episodes, findings: Iterable[Finding], at: Micros) -> Episodes:
    """With the findings of one more judgement, at event time ``at``; exact checks have no rate and do not count.

    >>> shift = Finding(subject="shop/orders", statistic="location", evidence_nats=20.0, alarm_batch_id="b7",
    ...                 alarm_at=7, onset_earliest=5, onset_latest=6, sentence="")
    >>> observe(observe(Episodes(), [shift], 7), [shift], 8)
    Episodes(began=(7,), lasting=True)
    """
    lasting = any(isfinite(finding.evidence_nats) for finding in findings)
    begins = (at,) if lasting and not episodes.lasting else ()
    kept = tuple(one for one in episodes.began if one > at - MONTH)
    return Episodes(began=(kept + begins)[-MOST:], lasting=lasting)
