"""Writes events as JSON that ``json_reader`` reads back to the same event.

Every field is written. Times are ISO 8601 in UTC; NaN in an array of numbers is ``null``, other non-finite numbers are
the texts ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``; bytes are base64; one record of several is named,
``{"Numbers": {…}}``.
"""

import json
import math
from base64 import b64encode
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from schemas.shape import Integer, Record, Scalar, Sequence, Shape, Table, Union, Vector
from schemas.times import to_text

Render: TypeAlias = Callable[[Any], Any]


def write_json(render: Render, event: Any) -> bytes:
    """One JSON object in UTF-8, on one line."""
    return json.dumps(render(event), ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def compile_json_writer(shape: Shape) -> Render:
    """The function that renders a value of this shape as what ``json`` can write."""
    match shape:
        case Record():
            members = tuple((member.name, compile_json_writer(member.shape)) for member in shape.members)
            return lambda value: {name: render(getattr(value, name)) for name, render in members}
        case Union():
            return _union(shape)
        case Sequence():
            render_item = compile_json_writer(shape.item)
            return lambda value: [render_item(item) for item in value]
        case Table():
            render_value = compile_json_writer(shape.value)
            return lambda value: {key: render_value(entry) for key, entry in value.items()}
        case Vector():
            return _numbers if shape.kind == "double" else lambda value: np.asarray(value).tolist()
        case Integer(is_time=True):
            return _time
        case Integer():
            return int
        case Scalar(kind="double"):
            return _number
        case Scalar(kind="bytes"):
            return lambda value: b64encode(value).decode()
        case Scalar(kind="boolean"):
            return bool
        case _:
            return str


def _union(shape: Union) -> Render:
    if len(shape.records) < 2:
        render_other = compile_json_writer(shape.branches[-1])
        return lambda value: None if value is None else render_other(value)
    renders = {record.cls: (record.name, compile_json_writer(record)) for record in shape.records}

    def render(value: Any) -> Any:
        if value is None:
            return None
        name, render_record = renders[type(value)]
        return {name: render_record(value)}

    return render


def _time(value: int) -> str | int:
    try:
        return to_text(int(value))
    except OverflowError:
        return int(value)  # beyond the year 9999


def _number(value: float) -> float | str:
    if math.isfinite(value):
        return float(value)
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _numbers(value: Any) -> list[Any]:
    numbers = np.asarray(value, np.float64)
    if np.isfinite(numbers).all():
        return list(numbers.tolist())
    return [None if one != one else _number(one) for one in numbers.tolist()]
