"""Input events as bytes: the codec of each type, made once."""

from typing import Any

from schemas.codec import Codec
from schemas.events import Change, DataBatch, Event, Outcome, Prediction


class Encoding:
    """Encodes events by their type, in single-object encoding, or as JSON for people and kcat."""

    def __init__(self) -> None:
        self._codecs: dict[type, Codec[Any]] = {
            DataBatch: Codec("data_batch", DataBatch),
            Prediction: Codec("prediction", Prediction),
            Outcome: Codec("outcome", Outcome),
            Change: Codec("change", Change),
        }

    def encode(self, event: Event) -> bytes:
        """Avro."""
        return self._codecs[type(event)].encode(event)

    def encode_json(self, event: Event) -> bytes:
        """One line of JSON."""
        return self._codecs[type(event)].encode_json(event)
