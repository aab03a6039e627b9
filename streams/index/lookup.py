"""Looking things up in the index, many at a time: every method is one or two round trips, whatever it is asked."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import redis

from diagnosis.observation import PredictionRef
from streams.index.keys import Keys, Micros, Ref, day_of, generations, lex_range, ref_of
from streams.index.stored import StoredNode, events_from_bytes, node_from_bytes

MOST_PER_BUCKET = 200
DAYS_SEARCHED = 32


class Lookup:
    """The questions a walk asks. What has expired since it was listed is left out of every answer."""

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._redis = client
        self._keys = keys
        self._shelves: list[tuple[int, int]] | None = None
        self._loose: set[str] | None = None

    def find(self, texts: Iterable[str], days: range | None = None) -> dict[str, list[Ref]]:
        """The records each text leads to, oldest first; at most 200 of one day and generation.

        ``days``: look only at what was stored on these days since 1970.
        """
        asked = list(dict.fromkeys(texts))
        shelves = [shelf for shelf in self._all_shelves() if days is None or shelf[0] in days]
        pipeline = self._redis.pipeline(transaction=False)
        for text in asked:
            low, high = lex_range(text)
            for day, generation in shelves:
                bucket = self._keys.bucket(day, generation, text)
                pipeline.zrevrangebylex(bucket, high, low, start=0, num=MOST_PER_BUCKET)
        answers = iter(pipeline.execute())
        return {text: sorted({ref_of(found) for _ in shelves for found in next(answers)}) for text in asked}

    def find_near(self, texts: Iterable[str], days: range) -> dict[str, list[Ref]]:
        """As ``find``, but days elsewhere are looked at only for texts that lead nowhere on ``days``."""
        near = self.find(texts, days)
        missed = [text for text, refs in near.items() if not refs]
        return near | self.find(missed) if missed else near

    def nodes(self, refs: Iterable[Ref]) -> dict[Ref, StoredNode]:
        """The headers of records."""
        asked = list(dict.fromkeys(refs))
        pipeline = self._redis.pipeline(transaction=False)
        for ref in asked:
            pipeline.hget(*self._keys.nodes(ref))
        answers = pipeline.execute()
        return {ref: node_from_bytes(stored) for ref, stored in zip(asked, answers, strict=True) if stored is not None}

    def events(self, windows: Iterable[Ref]) -> dict[Ref, tuple[PredictionRef, ...]]:
        """The prediction events of windows."""
        asked = list(dict.fromkeys(windows))
        if not asked:
            return {}
        answers = cast(list[bytes | None], self._redis.mget([self._keys.predictions(ref) for ref in asked]))
        return {
            ref: events_from_bytes(stored) for ref, stored in zip(asked, answers, strict=True) if stored is not None
        }

    def latest(self, asked: Sequence[tuple[str, Micros]]) -> list[Ref | None]:
        """For each (subject, time): its last batch at or before that time, as far as 32 days back."""
        return [found[0] if found else None for found in self._by_time(asked, -1)]

    def next_times(self, asked: Sequence[tuple[str, Micros]]) -> list[Micros | None]:
        """For each (subject, time): when its first batch after that time was made, as far as 32 days ahead."""
        return [found[1] if found else None for found in self._by_time(asked, +1)]

    def between(self, asked: Sequence[tuple[str, Micros, Micros]]) -> list[list[Ref]]:
        """For each (subject, from, to): its batches made in that time, both ends included; at most 200 of a day."""
        pipeline = self._redis.pipeline(transaction=False)
        spans = []
        for subject, start, end in asked:
            days = range(day_of(start), min(day_of(end), day_of(start) + DAYS_SEARCHED) + 1)
            spans.append(len(days))
            for day in days:
                key = self._keys.dataset(subject, day)
                pipeline.zrangebyscore(key, start, end, start=0, num=MOST_PER_BUCKET)
        answers = iter(pipeline.execute())
        return [[Ref.unpacked(found) for _ in range(days) for found in next(answers)] for days in spans]

    def loose(self) -> set[str]:
        """The datasets that some child names without batch id or partition."""
        if self._loose is None:
            members = cast(set[bytes], self._redis.smembers(self._keys.loose))
            self._loose = {member.decode() for member in members}
        return self._loose

    def _by_time(self, asked: Sequence[tuple[str, Micros]], direction: int) -> list[tuple[Ref, Micros] | None]:
        pipeline = self._redis.pipeline(transaction=False)
        for subject, at in asked:
            for step in range(DAYS_SEARCHED):
                key = self._keys.dataset(subject, day_of(at) + direction * step)
                if direction < 0:
                    pipeline.zrevrangebyscore(key, at, "-inf", start=0, num=1, withscores=True)
                else:
                    pipeline.zrangebyscore(key, f"({at}", "+inf", start=0, num=1, withscores=True)
        answers: list[Any] = pipeline.execute()
        rows = [answers[i : i + DAYS_SEARCHED] for i in range(0, len(answers), DAYS_SEARCHED)]
        return [next(((Ref.unpacked(day[0][0]), int(day[0][1])) for day in row if day), None) for row in rows]

    def _all_shelves(self) -> list[tuple[int, int]]:
        if self._shelves is None:
            days = cast(Mapping[bytes, bytes], self._redis.hgetall(self._keys.days))
            self._shelves = [(int(day), generation) for day, n in days.items() for generation in generations(int(n))]
        return self._shelves
