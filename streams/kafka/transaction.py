"""One transaction after another under one ``transactional.id``: all of it becomes visible, or nothing."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from streams.clients import producer
from streams.settings import Settings

TRANSACTION_TIMEOUT_MS = 10_000
INIT_TIMEOUT_S = 30.0
COMMIT_TIMEOUT_S = 30.0
PATIENCE_S = 120.0
FENCED = {KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH}
TOO_LARGE = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE}


class Fenced(RuntimeError):
    """Another worker has taken this task over: what we hold in memory is no longer ours to write."""


class Refused(RuntimeError):
    """The broker will not take a record, however often it is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One record to write; ``topic`` is the full name, ``partition`` None lets the key decide as Java would."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]] = field(default_factory=list)


class Transactor:
    """The transactional producer of one task; used by the task's thread alone."""

    def __init__(self, settings: Settings, transactional_id: str) -> None:
        self._settings = settings
        self._id = transactional_id
        self._producer: Producer | None = None

    def open(self) -> None:
        """Fence whoever used this id before us and abort what they left open.

        Raises:
            KafkaException: the broker cannot be reached within 30 s.
        """
        if self._producer is not None:
            self.close()
        self._producer = producer(
            self._settings,
            **{
                "transactional.id": self._id,
                "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS,
                "message.timeout.ms": TRANSACTION_TIMEOUT_MS,
                "linger.ms": 0,
                "queue.buffering.max.kbytes": 262_144,
            },
        )
        deadline = time.monotonic() + INIT_TIMEOUT_S
        while True:
            try:
                self._producer.init_transactions(INIT_TIMEOUT_S)
                return
            except KafkaException as failure:
                if not _error(failure).retriable() or time.monotonic() > deadline:
                    raise

    def close(self) -> None:
        """Let go of the producer; an open transaction is aborted by the next owner."""
        if self._producer is not None:
            self._producer.purge()
            self._producer.flush(0)
        self._producer = None

    def commit(self, outputs: Sequence[Output]) -> list[int]:
        """Write all of ``outputs`` in one transaction and return their offsets.

        A failed attempt is repeated with the same bytes, for two minutes at most.

        Raises:
            Fenced: somebody else owns the task now.
            Refused: a record is too large for its topic.
            KafkaException: the broker did not come back in time.
        """
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self._attempt(outputs, deadline)
            except KafkaException as failure:
                error = _error(failure)
                if error.code() in FENCED or error.fatal():
                    raise Fenced(error.str()) from failure
                if error.code() in TOO_LARGE:
                    raise Refused(error.str()) from failure
                if time.monotonic() > deadline:
                    raise
                self._abort(deadline)
                time.sleep(0.1)

    def _attempt(self, outputs: Sequence[Output], deadline: float) -> list[int]:
        writer = self._open_producer()
        offsets = [-1] * len(outputs)
        failures: list[KafkaError] = []
        writer.begin_transaction()
        for index, output in enumerate(outputs):
            self._produce(writer, output, _Report(index, offsets, failures))
        self._finish(writer, failures, deadline)
        return offsets

    def _produce(self, writer: Producer, output: Output, report: "_Report") -> None:
        while True:
            try:
                writer.produce(
                    output.topic,
                    value=output.value,
                    key=output.key,
                    partition=output.partition,
                    headers=output.headers,  # type: ignore[arg-type]  # the stub lacks list of pairs
                    on_delivery=report,
                )
                return
            except BufferError:
                writer.poll(0.05)

    def _finish(self, writer: Producer, failures: list[KafkaError], deadline: float) -> None:
        while True:
            try:
                writer.commit_transaction(COMMIT_TIMEOUT_S)
                return
            except KafkaException as failure:
                for refused in failures:
                    if refused.code() in TOO_LARGE:
                        self._abort(deadline)
                        raise KafkaException(refused) from failure
                if not _error(failure).retriable() or time.monotonic() > deadline:
                    raise

    def _abort(self, deadline: float) -> None:
        while True:
            try:
                self._open_producer().abort_transaction(COMMIT_TIMEOUT_S)
                return
            except KafkaException as failure:
                error = _error(failure)
                if error.code() in FENCED or error.fatal():
                    raise Fenced(error.str()) from failure
                if error.code() == KafkaError._STATE:
                    return  # there was no transaction to abort
                if not error.retriable() or time.monotonic() > deadline:
                    raise

    def _open_producer(self) -> Producer:
        if self._producer is None:
            raise RuntimeError("the transactor is not open")
        return self._producer


class _Report:
    """Notes where one record went."""

    def __init__(self, index: int, offsets: list[int], failures: list[KafkaError]) -> None:
        self._index = index
        self._offsets = offsets
        self._failures = failures

    def __call__(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failures.append(error)
        else:
            offset: Any = message.offset()
            self._offsets[self._index] = offset


def _error(failure: KafkaException) -> KafkaError:
    error = failure.args[0]
    if not isinstance(error, KafkaError):
        raise failure
    return error
