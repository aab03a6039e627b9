"""Which Java, and which ports."""

import socket
from pathlib import Path

import pytest

from streams.embedded import java
from streams.embedded.errors import CannotStart
from streams.embedded.ports import HIGHEST, LOWEST, free_ports, is_free


def program(folder: Path, version: str) -> Path:
    path = folder / "java"
    path.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2024-01-16' >&2\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def only_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No Java came with us, and PATH is a folder of the test's."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_the_java_that_came_with_us_is_preferred() -> None:
    assert java.find_java().release >= 25


def test_a_java_on_the_path_will_do(only_path: Path) -> None:
    path = program(only_path, "21.0.2")
    assert java.find_java() == java.Java(path, 21)


def test_an_old_java_is_refused_with_its_release(only_path: Path) -> None:
    program(only_path, "11.0.22")
    with pytest.raises(CannotStart, match=r"Java 17 or later; .* is 11\. .*--bootstrap"):
        java.find_java()


@pytest.mark.usefixtures("only_path")
def test_no_java_at_all_is_told_with_the_way_out() -> None:
    with pytest.raises(CannotStart, match=r"none on PATH\. Install headwater\[embedded\].*--bootstrap"):
        java.find_java()


def test_free_ports_are_different_and_below_those_of_clients() -> None:
    ports = free_ports(50)
    assert len(set(ports)) == 50
    assert all(LOWEST <= port < HIGHEST for port in ports)


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        assert not is_free(listening.getsockname()[1])
