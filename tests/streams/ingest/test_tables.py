import bz2
import gzip
import io
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.ingest.delimited import read_csv
from streams.ingest.problem import BadInput
from streams.ingest.tables import Format, format_of, read, stem_of

TABLE = "id,x,word\n1,0.5,a\n2,1.5,b\n3,,\n"


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [(".csv", bytes), (".csv.xz", lzma.compress), (".csv.gz", gzip.compress), (".csv.bz2", bz2.compress)],
)
def test_compression_is_told_by_the_name(tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / f"table{suffix}"
    path.write_bytes(pack(TABLE.encode()))
    (rows,) = read(str(path), None, 100)
    assert rows.frame.columns == ["id", "x", "word"]
    assert rows.frame["id"].to_list() == ["1", "2", "3"]
    assert rows.lines.tolist() == [2, 3, 4]


def test_pieces_cover_the_table_once_and_keep_lines_and_numbers(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("x\n" + "".join(f"{value}\n" for value in range(25)))
    pieces = list(read(str(path), None, 10))
    assert [piece.frame.height for piece in pieces] == [10, 10, 5]
    assert [value for piece in pieces for value in piece.frame["x"].to_list()] == [str(value) for value in range(25)]
    assert [line for piece in pieces for line in piece.lines] == list(range(2, 27))
    assert [number for piece in pieces for number in piece.numbers] == list(range(1, 26))


def test_the_three_formats_give_the_same_values(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": [1, 2, 3], "x": [0.5, None, 1.5], "word": ["a", None, "c"], "on": [True, False, None]})
    frame.write_csv(tmp_path / "t.csv")
    frame.write_ndjson(tmp_path / "t.jsonl")
    frame.write_parquet(tmp_path / "t.parquet")
    typed = [next(read(str(tmp_path / name), None, 10)).frame for name in ("t.jsonl", "t.parquet")]
    assert typed[0].equals(typed[1])
    texts = next(read(str(tmp_path / "t.csv"), None, 10)).frame
    assert texts["x"].cast(pl.Float64, strict=False).to_list() == frame["x"].to_list()


def test_parquet_is_read_in_pieces_too(tmp_path: Path) -> None:
    pl.DataFrame({"x": range(25)}).write_parquet(tmp_path / "t.parquet")
    pieces = list(read(str(tmp_path / "t.parquet"), None, 10))
    assert [piece.numbers.tolist()[0] for piece in pieces] == [1, 11, 21]


def test_a_record_of_the_wrong_width_is_a_problem_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('a,b\n1,2\n\n1\n"two\nlines",2\n1,2,3\n5,6\n')
    (rows,) = read(str(path), None, 100)
    assert rows.frame["a"].to_list() == ["1", "two\nlines", "5"]
    assert rows.lines.tolist() == [2, 5, 8]
    assert [str(problem) for problem in rows.problems] == [
        "t.csv:4: has 1 values where the header names 2 columns",
        "t.csv:7: has 3 values where the header names 2 columns",
    ]
    assert rows.numbers.tolist() == [1, 3, 5]


def test_a_line_that_is_no_flat_object_is_a_problem_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"a": 1}\n{"a": \n\n[1]\n{"a": {"b": 1}}\n{"a": NaN}\n')
    (rows,) = read(str(path), None, 100)
    assert rows.lines.tolist() == [1, 6]
    assert [problem.line for problem in rows.problems] == [2, 4, 5]
    assert "--ignore a" in rows.problems[-1].reason
    (rows,) = read(str(path), None, 100, ignored=["a"])
    assert rows.lines.tolist() == [1, 5, 6]


def test_delimiters_and_byte_order_marks_are_recognised(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("\ufeffa;b\r\n1,5;2\r\n".encode())
    (rows,) = read(str(path), None, 100)
    assert rows.frame.to_dict(as_series=False) == {"a": ["1,5"], "b": ["2"]}


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("absent.csv", None, "No such file"),
        ("t.csv", b"", "first line must name the columns"),
        ("t.csv", b"a,b,a\n1,2,3\n", "more than one column named 'a'"),
        ("t.csv", b"a\n\xff\xfe\n", "not UTF-8"),
        ("t.csv.xz", b"not xz", "cannot read"),
        ("t.csv.gz", gzip.compress(TABLE.encode() * 100)[:40], "cannot read"),
        ("t.parquet", b"not parquet", "cannot read"),
        ("t.xlsx", b"", "--format"),
        ("-", None, "--format"),
    ],
)
def test_an_unusable_file_is_refused_with_a_reason(
    tmp_path: Path, name: str, content: bytes | None, complaint: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInput, match=complaint):
        list(read("-" if name == "-" else str(path), None, 100))


def test_names_say_format_and_stem() -> None:
    assert format_of("a/b.CSV.XZ") is Format.CSV
    assert format_of("b.ndjson.gz") is Format.JSONL
    assert stem_of("a/part.0001.parquet") == "part.0001"


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), st.integers()), min_size=1),
    st.integers(1, 5),
)
def test_whatever_csv_can_quote_comes_back(values: list[tuple[str, int]], size: int) -> None:
    cells = [text.replace("\0", "") for text, _ in values]
    written = io.StringIO(newline="")
    written.write("text,number\n")
    for cell, (_, number) in zip(cells, values, strict=True):
        quoted = cell.replace('"', '""')
        written.write(f'"{quoted}",{number}\n')
    written.seek(0)
    pieces = list(read_csv(written, "t.csv", size))
    assert [cell for piece in pieces for cell in piece.frame["text"].to_list()] == cells
    assert not any(piece.problems for piece in pieces)


@settings(max_examples=60)
@given(garbage=st.binary(max_size=200))
def test_garbage_ends_in_rows_problems_or_a_refusal(garbage: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("garbage")
    for style in Format:
        path = folder / f"t.{style}"
        path.write_bytes(garbage)
        try:
            for rows in read(str(path), style, 3):
                assert rows.frame.height == len(rows.lines) == len(rows.numbers)
        except BadInput:
            pass


def test_numbers_of_json_beyond_64_bits_become_texts(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(json.dumps({"id": 2**70}) + "\n" + json.dumps({"id": "x"}) + "\n")
    (rows,) = read(str(path), None, 100)
    assert rows.frame["id"].to_list() == [str(2**70), "x"]
