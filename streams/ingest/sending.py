"""The whole of ``headwater send``: say what was guessed, check every row, send, wait for the broker, sum up."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from rich.console import Console
from rich.markup import escape

from schemas.events import Micros
from streams.ingest.check import Checked
from streams.ingest.delivery import Delivery, Pace, check_topics
from streams.ingest.encoding import Encoding
from streams.ingest.events import Outgoing, reference
from streams.ingest.interruption import Interruption
from streams.ingest.job import Job
from streams.ingest.meter import Meter
from streams.ingest.options import OnError
from streams.ingest.problem import BadInput
from streams.ingest.survey import SHOWN_PROBLEMS, Survey, survey
from streams.ingest.tables import STDIN
from streams.ingest.times import written
from streams.settings import Settings
from streams.topics import Topic


class Exit(IntEnum):
    """What the exit code means."""

    SENT = 0
    INPUT = 1
    BROKER = 3
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How to send: ``speed`` None is as fast as possible, else event time runs so much faster than the clock."""

    as_reference: bool = False
    speed: float | None = None
    dry_run: bool = False


@dataclass(slots=True)
class Sending:
    """One run of the command over one job; speaks to people on ``console`` and hands a dry run's JSON to ``show``."""

    job: Job
    manner: Manner
    settings: Settings
    console: Console
    encoding: Encoding
    show: Callable[[str], None]
    refused: int = 0
    unknown: int = 0
    _pace: Pace | None = field(default=None, init=False)

    def run(self) -> tuple[Exit, dict[str, Any]]:
        """Everything; the exit code, and a summary for scripts.

        Raises:
            BadInput: the files cannot be sent as they are.
            BrokerProblem, BrokerUnreachable, NotAllowed, MissingBroker: Kafka cannot be reached, or is not ready.
        """
        for note in self.job.notes:
            self.say(f"  {note}")
        streamed = STDIN in self.job.reading.files
        if streamed and self.manner.as_reference:
            raise BadInput("--as-reference must know the last time first: save standard input to a file")
        if not self.manner.dry_run:
            check_topics(self.settings, (*self.job.topics, *([Topic.CHANGES] if self.manner.as_reference else [])))
        found = None if streamed else self._survey()
        if self.manner.dry_run:
            return self._dry_run(found)
        return self._send(found)

    def say(self, text: str, style: str = "") -> None:
        """A line for people."""
        self.console.print(escape(text), style=style or None, highlight=False, soft_wrap=True)

    def _survey(self) -> Survey:
        with Meter(self.console, "checking") as meter:
            found = survey(self.job, _now(), lambda rows: meter.show(meter.rows + rows))
        for problem in found.problems:
            self.say(str(problem), "red")
        if found.wrong > SHOWN_PROBLEMS:
            self.say(f"… and {found.wrong - SHOWN_PROBLEMS:,} more rows are wrong", "red")
        if found.wrong and self.job.reading.on_error is OnError.STOP:
            raise BadInput(f"{_count(found.wrong, 'row')} wrong, nothing was sent: mend them, or pass --on-error skip")
        if found.first_at is not None and found.last_at is not None:
            self.say(f"  {_count(found.good, 'row')}, {written(found.first_at)} to {written(found.last_at)}")
        if found.unknown:
            self.say(f"  {_count(found.unknown, 'row')} without an outcome as yet: not sent")
        if found.unplanned:
            self.say(
                f"  not sent: {', '.join(sorted(found.unplanned))} (not in the first rows of the first file)", "yellow"
            )
        if found.backwards:
            self.say(
                f"  times go backwards {found.backwards:,} times, first at {found.first_backwards}: "
                "sort by time, or detection takes late rows for late events",
                "yellow",
            )
        if not found.good:
            raise BadInput("there is no row to send")
        return found

    def _outgoing(self) -> Iterator[Outgoing]:
        """Events piece by piece. Wrong rows of a stream, which no survey has seen, are reported as they come."""
        for stem, rows in self.job.pieces():
            checked = self.job.check(rows, _now())
            self.refused += len(checked.problems)
            self.unknown += checked.unknown
            if checked.problems and STDIN in self.job.reading.files:
                self._refuse(checked)
            yield from self.job.events(checked, stem)

    def _refuse(self, checked: Checked) -> None:
        for problem in checked.problems[:SHOWN_PROBLEMS]:
            self.say(str(problem), "red")
        if self.job.reading.on_error is OnError.STOP:
            first = min([problem.line for problem in checked.problems] + checked.lines[:1].tolist())
            raise BadInput(
                f"stopped: nothing from {checked.file}:{first} on was sent; mend the row, or --on-error skip"
            )

    def _dry_run(self, found: Survey | None) -> tuple[Exit, dict[str, Any]]:
        main = self.job.topics[-1]
        first = next((outgoing for outgoing in self._outgoing() if outgoing.topic is main), None)
        if first is None:
            raise BadInput("there is no row to send")
        self.say(f"  first event, for {self.settings.topic_prefix}{main}, key {first.key.decode()}; nothing was sent")
        self.show(self.encoding.encode_json(first.event).decode())
        return Exit.SENT, {"rows": found.good if found else None, "sent": 0}

    def _send(self, found: Survey | None) -> tuple[Exit, dict[str, Any]]:
        total, trouble = found.good if found else None, None
        with Interruption() as interruption, Meter(self.console, "sending", total) as meter:
            delivery = Delivery(self.settings, self.encoding, lambda: interruption.asked)
            if self.manner.as_reference and found is not None:
                self._declare(delivery, found)
            try:
                self._send_all(delivery, meter)
            except BadInput as error:
                trouble = error
            delivery.flush()
            if interruption.asked:
                delivery.drop()
            meter.show(delivery.rows)
        return self._close(delivery, meter.seconds, interruption.asked, trouble)

    def _send_all(self, delivery: Delivery, meter: Meter) -> None:
        """Ends early where there is no point in going on: interrupted, or refused by the broker."""
        for outgoing in self._outgoing():
            self._wait(delivery, outgoing.at)
            if delivery.stopped() or delivery.failed:
                return
            delivery.send(outgoing)
            meter.show(delivery.rows)

    def _declare(self, delivery: Delivery, found: Survey) -> None:
        """The reference comes before its events, so that no batch of it is judged against itself."""
        assert found.last_at is not None
        reason = f"{', '.join(self.job.reading.files)} sent as reference, {found.good:,} rows"
        for pipeline, name in self.job.subjects:
            delivery.send(reference(pipeline, name, found.last_at, reason))
            self.say(f"  healthy by declaration: {pipeline}/{name} up to {written(found.last_at)}")
        delivery.flush()

    def _wait(self, delivery: Delivery, at: Micros) -> None:
        if self.manner.speed is None:
            return
        if self._pace is None:
            self._pace = Pace(self.manner.speed, at, time.monotonic())
        delivery.rest(self._pace.due(at))

    def _close(
        self, delivery: Delivery, seconds: float, interrupted: bool, trouble: BadInput | None
    ) -> tuple[Exit, dict[str, Any]]:
        events = ", ".join(
            f"{count:,} events to {self.settings.topic_prefix}{topic}" for topic, count in delivery.events.items()
        )
        rate = f"{delivery.rows / seconds:,.0f} rows/s"
        self.say(f"sent {_count(delivery.rows, 'row')} in {seconds:.1f} s ({rate}): {events or 'no event'}", "bold")
        if self.refused:
            self.say(f"{_count(self.refused, 'row')} wrong and not sent", "yellow")
        for reason, count in delivery.failed.items():
            self.say(f"{_count(count, 'event')} not delivered: {reason}", "red")
        if delivery.failed and delivery.last_error:
            self.say(f"last word of the connection: {delivery.last_error}", "red")
        summary = {
            "sent": delivery.rows,
            "events": {self.settings.topic_prefix + topic: count for topic, count in delivery.events.items()},
            "refused": self.refused,
            "without_outcome": self.unknown,
            "undelivered": sum(delivery.failed.values()),
            "seconds": round(seconds, 3),
            "rows_per_s": round(delivery.rows / seconds, 1),
        }
        if interrupted:
            self.say("interrupted: what is counted above has arrived, the rest was not sent", "yellow")
            return Exit.INTERRUPTED, summary
        if trouble is not None:
            self.say(str(trouble), "red")
            return Exit.INPUT, summary
        return (Exit.BROKER if delivery.failed else Exit.SENT), summary


def report(console: Console, error: Exception) -> None:
    """Why nothing happened, in red."""
    console.print(escape(str(error)), style="red", highlight=False, soft_wrap=True)


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _now() -> Micros:
    return time.time_ns() // 1_000
