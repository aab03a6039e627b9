"""Giving up what nobody needs any more of a topic that is ours."""

import logging

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from streams.clients import admin
from streams.settings import Settings

EVERY_MICROS = 60_000_000

logger = logging.getLogger(__name__)


class Trimmer:
    """Deletes the records of one partition below an offset, once a minute at most; a refusal is told once."""

    def __init__(self, settings: Settings, topic: str, partition: int) -> None:
        self._settings = settings
        self._topic = topic
        self._partition = partition
        self._admin: AdminClient | None = None
        self._trimmed_to = 0
        self._next_at = 0

    def trim(self, below: int, now: int) -> None:
        """Ask the broker to delete every record below the offset ``below``; does not wait for the answer."""
        if below <= self._trimmed_to or now < self._next_at:
            return
        self._next_at = now + EVERY_MICROS
        self._admin = self._admin or admin(self._settings)
        answer = self._admin.delete_records([TopicPartition(self._topic, self._partition, below)])
        self._trimmed_to = below
        for future in answer.values():
            future.add_done_callback(self._told)

    def _told(self, future: "object") -> None:
        try:
            future.result()  # type: ignore[attr-defined]  # a concurrent Future, which the library does not export
        except KafkaException as failure:
            logger.warning("cannot trim %s[%d], it will grow: %s", self._topic, self._partition, failure.args[0].str())
