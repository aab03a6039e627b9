import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.settings import Settings
from streams.version import installed_version
from tests.deploy.debian import ROOT, run

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
IGNORED = (ROOT / ".dockerignore").read_text().splitlines()
each_service = pytest.mark.parametrize("name", SERVICES)


def test_everything_around_headwater_is_there() -> None:
    around = {"kafka", "redis", "schema-registry", "prometheus", "grafana", "alertmanager"}
    assert set(SERVICES) == around | {"topics", "headwater"}


@each_service
def test_an_image_is_pinned_to_a_release(name: str) -> None:
    assert re.search(r":v?\d+\.\d+\.\d+(-alpine)?$", SERVICES[name]["image"])


@each_service
def test_ports_listen_on_loopback_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


@each_service
def test_a_service_has_bounds_and_says_whether_it_is_well(name: str) -> None:
    service = SERVICES[name]
    assert service["mem_limit"]
    assert service["restart"] == ("on-failure:5" if name == "topics" else "unless-stopped")
    if name not in {"topics", "headwater"}:  # one ends by itself, the other's check is in its image
        assert service["healthcheck"]["test"]


@each_service
def test_a_service_waits_until_what_it_needs_is_well(name: str) -> None:
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        ends = other == "topics"
        assert wait["condition"] == ("service_completed_successfully" if ends else "service_healthy")


def test_volumes_have_names_and_all_are_used() -> None:
    used = {
        volume.split(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", ())
        if not volume.startswith("./")
    }
    assert used == set(COMPOSE["volumes"])


def test_what_is_mounted_exists_and_cannot_be_changed_from_inside() -> None:
    mounted = [v for service in SERVICES.values() for v in service.get("volumes", ()) if v.startswith("./")]
    assert mounted
    for volume in mounted:
        path, _, mode = volume.split(":")
        assert (ROOT / path).is_dir()
        assert mode == "ro"


def test_the_worker_is_given_only_settings_that_there_are() -> None:
    given = {name for service in ("topics", "headwater") for name in SERVICES[service]["environment"]}
    assert given <= {f"HEADWATER_{name.upper()}" for name in Settings.model_fields}


def test_the_worker_uses_everything_that_runs_beside_it() -> None:
    environment = SERVICES["headwater"]["environment"]
    told = {name: re.sub(r"^\w+://|[:/]\d.*$", "", str(value)) for name, value in environment.items()}
    assert told["HEADWATER_BOOTSTRAP"] == "kafka"
    assert told["HEADWATER_REDIS_URL"] == "redis"
    assert told["HEADWATER_SCHEMA_REGISTRY_URL"] == "schema-registry"
    assert told["HEADWATER_ALERTMANAGER_URL"] == "alertmanager"


def test_the_worker_can_change_nothing_on_its_machine() -> None:
    for name in ("headwater", "topics"):
        service = SERVICES[name]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]


def test_the_image_is_of_this_version() -> None:
    assert SERVICES["headwater"]["image"] == SERVICES["topics"]["image"] == f"headwater:{installed_version()}"


def test_the_image_runs_as_nobody_in_particular() -> None:
    last = DOCKERFILE.split("FROM ")[-1]
    (user,) = re.findall(r"^USER (\d+):\d+$", last, re.MULTILINE)
    assert int(user) >= 10000


def test_the_image_is_slim_pinned_and_verified() -> None:
    assert len(set(re.findall(r"^FROM (python:3\.\d+\.\d+-slim-\w+)(?: AS \w+)?$", DOCKERFILE, re.MULTILINE))) == 1
    assert DOCKERFILE.count("\nFROM ") == 2
    assert "--require-hashes" in DOCKERFILE
    assert "--no-index" in DOCKERFILE


def test_the_image_says_whether_it_lives() -> None:
    (check,) = re.findall(r"^HEALTHCHECK .*\\\n\s+CMD \[(.*)\]$", DOCKERFILE, re.MULTILINE)
    assert "/healthz" in check


def test_what_the_image_is_made_of_reaches_the_builder() -> None:
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert {f"!{source}" for source in copied} == {line for line in IGNORED if line.startswith("!")}
    assert all((ROOT / source).exists() for source in copied)
    assert "*" in IGNORED


def test_docker_compose_accepts_the_file(tmp_path: Path) -> None:
    (tmp_path / "empty.env").write_text("")
    file = ROOT / "docker-compose.yml"
    shown = run("docker-compose", "--env-file", tmp_path / "empty.env", "--file", file, "config")
    assert set(yaml.safe_load(shown)["services"]) == set(SERVICES)
