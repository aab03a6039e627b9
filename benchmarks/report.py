"""A benchmark's numbers beside their bars, printed as they come and written as JSON at the end."""

import json
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path


@dataclass
class Report:
    """Rows of ``{name, value, bar, holds}``; ``holds`` is null where a number is there to compare with."""

    rows: list[dict[str, object]] = field(default_factory=list)

    def say(self, line: str) -> None:
        """Print one line of a table now."""
        print(line, flush=True)

    def add(self, name: str, value: float, bar: float | None, *, least: bool = False) -> None:
        """Keep a number. bar: what it may be at most, or at ``least``; None for peers and dummies."""
        holds = None if bar is None else bool(value >= bar if least else value <= bar)
        self.rows.append({"name": name, "value": value if isfinite(value) else None, "bar": bar, "holds": holds})

    def close(self, seed: int, seconds: float, file: Path | None) -> None:
        """Say what missed its bar, and write the file."""
        missed = [row for row in self.rows if row["holds"] is False]
        held = sum(row["holds"] is True for row in self.rows)
        self.say(f"{held} bars hold, {len(missed)} are missed; seed {seed}, {seconds:.0f} s")
        for row in missed:
            value = "not measured" if row["value"] is None else f"{row['value']:.3g}"
            self.say(f"  missed: {row['name']}: {value} (bar {row['bar']})")
        if file is not None:
            written = {"rows": self.rows, "seed": seed, "seconds": round(seconds, 1)}
            file.write_text(json.dumps(written, indent=1) + "\n")
