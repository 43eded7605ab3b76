"""Where a benchmark leaves what it found: numbers as JSON and a section of Markdown, side by side in one directory."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path

from benchmarks.table import hardware

RESULTS = Path(__file__).parent / "results"
"""The last whole run, as committed; the READMEs show it."""


def parse_out(description: str | None) -> Path:
    """Read `--out` from the command line, and make that directory."""
    parser = ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, default=RESULTS, help="directory for the results")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    return out


def write(out: Path, topic: str, numbers: Mapping[str, object], markdown: str) -> None:
    """Write `topic.json` and `topic.md`, and show the latter; the hardware and the day are added to both."""
    measured = hardware()
    (out / f"{topic}.json").write_text(json.dumps({"measured": measured, **numbers}, indent=1) + "\n")
    (out / f"{topic}.md").write_text(f"{markdown.strip()}\n\nMeasured on {measured}.\n")
    print((out / f"{topic}.md").read_text())
