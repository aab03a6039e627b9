"""Programs that Debian packages: required where everything is tested (CI=true), named as skipped elsewhere."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"

PACKAGES = {
    "amtool": "prometheus-alertmanager",
    "docker-compose": "docker-compose",
    "prometheus": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "promtool": "prometheus",
    "redis-server": "redis-server",
}


def program(name: str) -> str:
    """Where ``name`` is installed; without it the test is skipped, in CI it fails."""
    found = shutil.which(name)
    if found is not None:
        return found
    reason = f"{name} is not installed (Debian: apt-get install {PACKAGES[name]})"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def run(name: str, *arguments: str | Path, text: str | None = None, folder: Path = ROOT) -> str:
    """What a program says; it must end well."""
    command = [program(name), *map(str, arguments)]
    done = subprocess.run(command, input=text, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
