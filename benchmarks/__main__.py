"""Every benchmark there is, in its quick form: ``python -m benchmarks``."""

import subprocess
import sys

QUICK = (("benchmarks.detection", "--quick"), ("benchmarks.diagnosis", "--quick"), ("benchmarks.index", "--quick"))


def main() -> int:
    """Run one after the other; the number of those that failed to run."""
    return sum(subprocess.run([sys.executable, "-m", *command], check=False).returncode != 0 for command in QUICK)


if __name__ == "__main__":
    sys.exit(main())
