"""A worker whose only arithmetic is to remember ids: what it loses or counts twice can be told exactly."""

import logging
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import faust
from prometheus_client import CollectorRegistry

from streams.agent import Agent, Role
from streams.kafka.chunk import Chunk
from streams.kafka.transaction import Output
from streams.metrics import Metrics
from streams.plain import from_bytes, to_bytes
from streams.settings import Settings
from streams.task.journaled import JournaledWork
from streams.task.reaction import Reaction
from streams.topics import Topic


@dataclass(frozen=True)
class Ids:
    ids: list[int] = field(default_factory=list)


class Counting:
    """Remembers the ids of each key, and repeats each as an observation."""

    def __init__(self, partition: int, settings: Settings) -> None:
        self.states: dict[str, list[int]] = {}
        self._partition = partition
        self._observations = settings.topic_prefix + Topic.OBSERVATIONS

    def read(self, chunk: Chunk, reaction: Reaction) -> None:
        by_key: dict[str, list[int]] = {}
        for record in chunk.records:
            by_key.setdefault((record.key or b"").decode(), []).append(int(record.value or b"0"))
        for key, ids in by_key.items():
            step = to_bytes(Ids(ids))
            self.replay(key, step)
            reaction.steps.append((key, step))
            reaction.outputs += [
                Output(topic=self._observations, partition=self._partition, key=key.encode(), value=str(one).encode())
                for one in ids
            ]

    def tick(self, now: int, reaction: Reaction) -> None: ...

    def replay(self, subject: str, step: bytes) -> None:
        self.states.setdefault(subject, []).extend(from_bytes(Ids, step).ids)

    def restore(self, subject: str, body: bytes) -> None:
        self.states[subject] = list(from_bytes(Ids, body).ids)

    def dump(self, subject: str) -> bytes:
        return to_bytes(Ids(list(self.states[subject])))

    def clear(self) -> None:
        self.states = {}

    def close(self) -> None: ...


def work(partition: int, settings: Settings, metrics: Metrics) -> tuple[JournaledWork, Counting]:
    """The work of one partition, and the logic inside it."""
    logic = Counting(partition, settings)
    return JournaledWork("count", partition, settings, logic, metrics), logic


def _give_up(failure: BaseException) -> None:
    logging.critical("the worker ends", exc_info=failure)
    os._exit(75)


def main() -> None:
    logging.basicConfig(level="WARNING")
    settings, metrics = Settings(), Metrics(CollectorRegistry())
    inputs = (Topic.DATA_BATCHES, Topic.PREDICTIONS)
    role = Role(name="count", inputs=inputs, work_for=lambda partition: work(partition, settings, metrics)[0])
    agent = Agent(role, settings, metrics, folder=Path(tempfile.mkdtemp()), on_failure=_give_up)
    faust.Worker(
        agent.app, loglevel="WARNING", redirect_stdouts=False, override_logging=False, quiet=True
    ).execute_from_commandline()


if __name__ == "__main__":
    main()
