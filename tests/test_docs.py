"""The documents are held to the code."""

import ast
import re
from pathlib import Path

import pytest

from schemas.catalogue import current, fingerprint
from streams.__main__ import COMMANDS
from streams.metrics import DEFINITIONS
from streams.settings import Settings
from streams.topics import KEPT, Topic

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text()


def test_the_metric_table_is_the_registry() -> None:
    rows = re.findall(r"^\| `(headwater_\w+)` \| (\w+) \| (.*?) \| (.*?) \|$", README, re.MULTILINE)
    expected = [
        (one.name, one.kind, ", ".join(f"`{label}`" for label in one.labels) or "-", one.help) for one in DEFINITIONS
    ]
    assert rows == expected


def test_the_settings_table_has_every_setting_with_its_meaning() -> None:
    rows = dict(re.findall(r"^\| `HEADWATER_(\w+)` \| .*? \| (.*?) \|$", README, re.MULTILINE))
    assert rows == {name.upper(): field.description for name, field in Settings.model_fields.items()}


def test_the_topic_table_is_the_topics() -> None:
    rows = dict(re.findall(r"^\| `headwater\.([a-z-]+)` \| .* \| (.*?) \|$", README, re.MULTILINE))
    assert set(rows) == set(Topic)
    for topic, kept in rows.items():
        if days := re.match(r"(\d+) days", kept):
            assert KEPT[Topic(topic)].days == int(days.group(1)), topic


def test_the_command_table_is_the_commands() -> None:
    rows = re.findall(r"^\| `headwater (\w+)` \|", README, re.MULTILINE)
    assert sorted(rows) == sorted(COMMANDS)


@pytest.mark.parametrize("document", ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "ARCHITECTURE.md"])
def test_every_command_a_document_shows_exists(document: str) -> None:
    for name in re.findall(r"(?:^|`|\s)headwater (\w+)", (ROOT / document).read_text()):
        known = name in COMMANDS
        assert known or f"headwater {name}" not in re.findall(r"`(headwater \w+)", document), name


def test_every_make_target_the_readme_shows_exists() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"make (\w+)", README)) <= set(targets)


def test_the_header_in_the_readme_is_the_fingerprint_of_the_schema() -> None:
    (shown,) = re.findall(r'fromhex\("(\w+)"\)', README)
    assert bytes.fromhex(shown) == b"\xc3\x01" + fingerprint(current("data_batch"))


def test_the_python_in_the_readme_is_python() -> None:
    for code in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        ast.parse(code)


def test_every_link_leads_somewhere() -> None:
    for document in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_rooms_in_architecture_are_the_folders() -> None:
    rooms = set(re.findall(r"^\| `(\w+)/` \|", ARCHITECTURE.split("## Inside")[0], re.MULTILINE))
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    assert rooms == folders - {"dist", "__pycache__"}


def test_the_places_in_architecture_exist() -> None:
    table = ARCHITECTURE.split("## Inside `streams/`")[1].split("## ")[0]
    shown = {
        name.rstrip("/")
        for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
        for name in re.findall(r"`(.+?)`", row)
    }
    assert all((ROOT / "streams" / name).exists() for name in shown)
    folders = {path.name for path in (ROOT / "streams").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders <= shown


def test_no_document_names_a_machine_or_a_registry() -> None:
    for document in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "requirements.lock", ROOT / "Makefile"):
        assert not re.search(r"https?://[^\s)]*(pypi|maven|npm)|/work/|/root/", document.read_text()), document
