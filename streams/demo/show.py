"""The demo from beginning to end: servers, worker, a healthy while, a fault, the alert."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from diagnosis.alert import StageOfDiagnosis, Status
from simulation.checkout import CHECKOUT
from simulation.faults import Fault
from simulation.life import Life
from streams.demo.board import Board
from streams.demo.feeding import Feed
from streams.demo.interruption import Interruption
from streams.demo.listening import Listener
from streams.demo.result import Result, blame_of, expected_of, is_right
from streams.demo.view import Screen, screen_for
from streams.demo.words import OWN_DATA, closing, connections, introduction
from streams.demo.workplace import Worker, borrowed_settings, embedded_settings, working
from streams.ingest.delivery import Delivery
from streams.ingest.encoding import Encoding
from streams.reading.alert import render_alert
from streams.scratch import scratch
from streams.settings import Settings

HISTORY_TICKS = 56  # sent as fast as the worker takes them
ONSET_TICK = 60
LAST_TICK = 84
FEWEST_BROKEN_TICKS = 10
TICK_S = 0.5  # about 12 batches a second
AHEAD_TICKS = 10  # of what the worker has judged
STEADY_S = 2.5  # a diagnosis that stays so long is the answer
GIVE_UP_S = 12.0
LISTEN_S = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for; ``bootstrap`` None brings a Kafka along. truth: a file for what the fault really did."""

    fault: Fault
    seed: int
    bootstrap: str | None = None
    keep: bool = False
    truth: Path | None = None


def perform(wish: Wish, console: Console, interruption: Interruption) -> Result:
    """Run the demo on ``console`` and say how it ended.

    Raises:
        WorkerFailed: the worker did not come up or did not stay.
        EmbeddedError: there is no Kafka to be had.
        KeyboardInterrupt: it was asked for; everything is stopped by then.
    """
    started = time.monotonic()
    console.print(introduction(wish.fault, wish.seed), highlight=False)
    with ExitStack() as stack:
        folder = stack.enter_context(scratch("demo"))
        settings = stack.enter_context(_servers(wish, folder, console, started))
        worker = stack.enter_context(working(settings, folder, tidy=wish.bootstrap is not None))
        performance = stack.enter_context(_performance(wish, settings, worker, console, interruption))
        with interruption.patiently():
            performance.run(started)
        result = performance.result(time.monotonic() - started)
        if wish.truth is not None:
            (told,) = performance.life.truths
            wish.truth.write_text(json.dumps(asdict(told), indent=1) + "\n")
        _conclude(wish, result, performance.board, console)
        if wish.keep:
            console.print(connections(settings, worker.metrics_url), highlight=False, soft_wrap=True)
            _wait_for_interrupt(worker)
    return result


@contextmanager
def _servers(wish: Wish, folder: Path, console: Console, started: float) -> Iterator[Settings]:
    if wish.bootstrap is not None:
        yield borrowed_settings(wish.bootstrap)
        return
    from streams.embedded import start  # only here: the extra may not be installed

    with start(folder / "servers", cache=Settings().cache_dir) as servers:
        took = time.monotonic() - started
        console.print(f"Kafka on {servers.bootstrap} and Valkey are up after {took:.1f} s", highlight=False)
        yield embedded_settings(servers.bootstrap, servers.redis_url)


@dataclass(slots=True)
class Performance:
    """The part with the events: feeds the life, listens to the worker, and shows it."""

    wish: Wish
    life: Life
    worker: Worker
    board: Board
    feed: Feed
    listener: Listener
    screen: Screen
    interruption: Interruption
    broken_at: float | None = None
    sent_at: float = 0.0

    def run(self, started: float) -> None:
        """Until the diagnosis stands, or nothing more is to be expected."""
        with self.screen:
            self._run(started)

    def _run(self, started: float) -> None:
        self.screen.say("the worker is starting")
        self.worker.await_ready(self._learn_meanwhile)
        self.screen.say(f"the worker is ready after {time.monotonic() - started:.1f} s; first a healthy while")
        while not self._over(time.monotonic()):
            self.interruption.check()
            self.worker.check()
            self._learn()
            if self._due(time.monotonic()):
                self._send()
            self.listener.listen(LISTEN_S)
            self.screen.show(self.board, self.feed)

    def result(self, seconds: float) -> Result:
        """How it ended, after so many seconds."""
        alert, heard = self.board.alert, self.board.first_alert_at
        waited = None if heard is None or self.broken_at is None else round(heard - self.broken_at, 2)
        return Result(
            fault=self.wish.fault.name,
            expected=expected_of(self.wish.fault),
            said=None if alert is None else blame_of(alert),
            right=is_right(self.wish.fault, self.board.alerts.values()),
            seconds_to_alert=waited,
            seconds=round(seconds, 1),
        )

    def _learn_meanwhile(self) -> None:
        self.interruption.check()
        self._learn()

    def _learn(self) -> None:
        """Send history as far ahead of the worker as is good for it."""
        if self.feed.tick < HISTORY_TICKS and self.feed.tick < self._judged + AHEAD_TICKS:
            self.feed.send_tick()

    @property
    def _judged(self) -> int:
        return min(self.board.subjects[step.dataset].batches for step in CHECKOUT.steps)

    def _due(self, now: float) -> bool:
        if self.feed.over or self.feed.tick < HISTORY_TICKS or now < self.sent_at + TICK_S:
            return False
        return self.broken_at is not None or self._judged >= self.feed.tick - 2

    def _send(self) -> None:
        if self.feed.tick == ONSET_TICK and self.broken_at is None:
            self.broken_at = time.monotonic()
            self.screen.say(f"[bold red]broken now:[/] {self.wish.fault.sentence}")
        self.feed.send_tick()
        self.sent_at = time.monotonic()

    def _over(self, now: float) -> bool:
        alert = self.board.alert
        if self.feed.over and now > self.sent_at + GIVE_UP_S:
            return True
        if alert is None or alert.status is not Status.FIRING or self.feed.tick < ONSET_TICK + FEWEST_BROKEN_TICKS:
            return False
        steady = self.board.revised_at is not None and now > self.board.revised_at + STEADY_S
        return steady and alert.stage_of_diagnosis is StageOfDiagnosis.DIAGNOSED


@contextmanager
def _performance(
    wish: Wish, settings: Settings, worker: Worker, console: Console, interruption: Interruption
) -> Iterator[Performance]:
    names = [*(step.dataset for step in CHECKOUT.steps), CHECKOUT.model.name]
    board = Board.of(CHECKOUT.name, names)
    begin = time.time_ns() // 1_000 - (LAST_TICK + 1) * CHECKOUT.tick  # it ends about now, never in the future
    life = Life(CHECKOUT, wish.fault, seed=wish.seed, start=begin, ticks=LAST_TICK, onset=ONSET_TICK)
    with ExitStack() as stack:
        listener = stack.enter_context(Listener(settings, board))
        feed = Feed(life, Delivery(settings, Encoding(), lambda: interruption.asked))
        yield Performance(wish, life, worker, board, feed, listener, screen_for(console), interruption)


def _conclude(wish: Wish, result: Result, board: Board, console: Console) -> None:
    if (alert := board.alert) is not None:
        console.print()
        console.print(render_alert(alert), highlight=False)
    console.print(closing(result, wish.fault), highlight=False, soft_wrap=True)
    if not wish.keep:
        console.print(OWN_DATA, highlight=False, soft_wrap=True)


def _wait_for_interrupt(worker: Worker) -> None:
    try:
        while True:
            worker.check()
            time.sleep(0.5)
    except KeyboardInterrupt:
        return
