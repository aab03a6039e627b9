"""Reads what the worker publishes, as any subscriber would."""

import time
from uuid import uuid4

from confluent_kafka import OFFSET_BEGINNING, KafkaException, TopicPartition

from diagnosis.alert import Alert
from diagnosis.observation import Observation
from schemas.codec import Codec
from streams.admin import name_of
from streams.clients import consumer
from streams.demo.board import Board
from streams.settings import Settings
from streams.topics import Topic

RECORDS = 200


class Listener:
    """Follows observations and alerts onto a board. Use as a context manager."""

    def __init__(self, settings: Settings, board: Board) -> None:
        self._board = board
        self._alerts_topic = name_of(Topic.ALERTS, settings)
        self._observations = Codec("observation", Observation)
        self._alerts = Codec("alert", Alert)
        self._consumer = consumer(
            settings, f"headwater-demo-{uuid4().hex[:8]}", **{"fetch.wait.max.ms": 50, "auto.offset.reset": "earliest"}
        )
        self._consumer.assign(
            [
                TopicPartition(name_of(topic, settings), partition, OFFSET_BEGINNING)
                for topic in (Topic.OBSERVATIONS, Topic.ALERTS)
                for partition in range(settings.partitions)
            ]
        )

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def listen(self, seconds: float) -> None:
        """Takes in whatever comes within ``seconds``."""
        for message in self._consumer.consume(RECORDS, seconds):
            if (error := message.error()) is not None:
                if error.retriable():
                    continue
                raise KafkaException(error)
            if message.topic() == self._alerts_topic:
                self._board.hear(self._alerts.decode(message.value()), time.monotonic())
            else:
                self._board.note(self._observations.decode(message.value()))
