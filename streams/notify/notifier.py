"""The set of alerts people must know of, and what Alertmanager has been told of each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from diagnosis.alert import Alert, Status
from streams.notify.alertmanager import Alertmanager, Refused, Unreachable
from streams.notify.message import Message, messages_of
from streams.notify.why import Labels, Reason, Told, labels_of, why_notify
from streams.settings import Settings

Micros: TypeAlias = int

MOST_ALERTS = 10_000
ENDED_FORGOTTEN_AFTER = 3_600_000_000
PER_POST = 64
SHORTEST_PAUSE = 1_000_000
LONGEST_PAUSE = 30_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One alert to be posted, and why."""

    alert: Alert
    reason: Reason
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What came of an attempt: reasons of what was posted, failures for the counter, and the last error in words."""

    posted: tuple[Reason, ...] = ()
    failures: int = 0
    error: str | None = None


@dataclass(slots=True)
class _Held:
    """The latest revision of an alert, when it was stored, and what was told of it."""

    alert: Alert
    stored_at: Micros
    told: Told


class Notifier:
    """Holds at most 10,000 alerts (about 5 KB each); one that ended is forgotten an hour later.

    The set is rebuilt by ``recall`` from the alerts topic; it keeps no state of its own. After a failed post everything
    stays due and is tried again after a pause of 1 to 30 s.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._held: dict[str, _Held] = {}
        self._pause = 0
        self._not_before: Micros = 0

    def recall(self, alert: Alert, stored_at: Micros) -> None:
        """Take up a revision from before the start: whatever it says may be firing in Alertmanager already."""
        self.take(alert, stored_at)
        held = self._held.get(alert.alert_id)
        if held is not None and alert.status is Status.FIRING:
            held.told = replace(held.told, open=held.told.open | {labels_of(alert)})

    def take(self, alert: Alert, stored_at: Micros) -> None:
        """Take up a revision; an older one than is known changes nothing. ``stored_at`` is its Kafka timestamp."""
        held = self._held.get(alert.alert_id)
        if held is None:
            self._held[alert.alert_id] = _Held(alert, stored_at, Told(first_seen=stored_at))
        elif held.alert.revision < alert.revision:
            held.alert, held.stored_at = alert, stored_at
        while len(self._held) > MOST_ALERTS:
            ended = (known for known, each in self._held.items() if each.alert.status is not Status.FIRING)
            del self._held[next(ended, next(iter(self._held)))]

    @property
    def firing(self) -> Sequence[Alert]:
        """The alerts that are firing."""
        return [held.alert for held in self._held.values() if held.alert.status is Status.FIRING]

    def due(self, now: Micros) -> list[Notice]:
        """What is to be posted at ``now`` (wall clock, microseconds)."""
        if now < self._not_before:
            return []
        self._forget_ended(now)
        notices = []
        for held in self._held.values():
            reason = why_notify(held.told, held.alert, now, self._settings)
            if reason is not None:
                messages = tuple(messages_of(held.told, held.alert, now, self._settings))
                notices.append(Notice(alert=held.alert, reason=reason, messages=messages))
        return notices

    def post(self, alertmanager: Alertmanager, now: Micros) -> Delivery:
        """Post what is due. Never raises for what an Alertmanager may do: it is counted, and tried again."""
        notices, delivery = self.due(now), Delivery()
        for start in range(0, len(notices), PER_POST):
            delivery = self._post(alertmanager, notices[start : start + PER_POST], now, delivery)
            if now < self._not_before:
                break
        return delivery

    def _post(self, alertmanager: Alertmanager, notices: Sequence[Notice], now: Micros, so_far: Delivery) -> Delivery:
        try:
            alertmanager.post([message for notice in notices for message in notice.messages])
        except Unreachable as error:
            self._pause = min(max(2 * self._pause, SHORTEST_PAUSE), LONGEST_PAUSE)
            self._not_before = now + self._pause
            return replace(so_far, failures=so_far.failures + 1, error=str(error))
        except Refused as error:
            if len(notices) == 1:
                self._note(notices[0], now)  # it would be refused again: the next attempt is its next repetition
                return replace(so_far, failures=so_far.failures + 1, error=str(error))
            for notice in notices:
                so_far = self._post(alertmanager, [notice], now, so_far)
            return so_far
        self._pause = 0
        for notice in notices:
            self._note(notice, now)
        return replace(so_far, posted=so_far.posted + tuple(notice.reason for notice in notices))

    def _note(self, notice: Notice, now: Micros) -> None:
        alert = notice.alert
        firing = alert.status is Status.FIRING
        open_now: frozenset[Labels] = frozenset({labels_of(alert)}) if firing else frozenset()
        held = self._held[alert.alert_id]
        held.told = replace(held.told, open=open_now, told_at=now, told_revision=alert.revision)

    def _forget_ended(self, now: Micros) -> None:
        self._held = {
            alert_id: held
            for alert_id, held in self._held.items()
            if held.alert.status is Status.FIRING or now - held.stored_at < ENDED_FORGOTTEN_AFTER
        }
