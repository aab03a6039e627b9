"""What is prepared once."""

import re
from pathlib import Path

from streams.embedded.first_use import Prepared, new_id


def template(folder: Path) -> Prepared:
    (folder / "bootstrap.checkpoint").write_bytes(b"features")
    (folder / "meta.properties").write_text("#\ncluster.id=AAAA\ndirectory.id=BBBB\nnode.id=1\nversion=1\n")
    return Prepared(folder)


def test_every_store_has_ids_of_its_own(tmp_path: Path) -> None:
    prepared = template(tmp_path)
    prepared.format(tmp_path / "one")
    prepared.format(tmp_path / "two")
    one, two = ((tmp_path / name / "meta.properties").read_text() for name in ("one", "two"))
    assert one != two
    assert re.fullmatch(r"#\ncluster\.id=[\w-]{22}\ndirectory\.id=[\w-]{22}\nnode\.id=1\nversion=1\n", one), (
        "only the ids differ from the template"
    )
    assert (tmp_path / "one" / "bootstrap.checkpoint").read_bytes() == b"features"


def test_a_store_that_is_there_is_left_alone(tmp_path: Path) -> None:
    prepared = template(tmp_path)
    prepared.format(tmp_path / "one")
    before = (tmp_path / "one" / "meta.properties").read_text()
    prepared.format(tmp_path / "one")
    assert (tmp_path / "one" / "meta.properties").read_text() == before


def test_without_an_archive_there_is_nothing_to_tell_java(tmp_path: Path) -> None:
    assert Prepared(tmp_path).flags == []


def test_an_id_never_looks_like_an_option() -> None:
    assert not any(new_id().startswith("-") for _ in range(1000))
