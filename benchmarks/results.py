"""The result of a benchmark, in one format for all: written as JSON and Markdown, read again for README.md."""

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

RESULTS = Path(__file__).parent / "results"
"""The committed results."""
FIGURES = Path(__file__).parents[1] / "docs" / "figures"
"""Those of their figures that the site and README.md show; others stay with the result, and git ignores them."""
README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- goals -->", "<!-- end of goals -->"
"""Marks of the section of README.md that shows the committed results."""
NOT_MET = "**not met**"


class Skipped(Exception):
    """A benchmark cannot run on this machine; the message says why."""


@dataclass(frozen=True)
class Goal:
    """One figure and its target."""

    measure: str
    target: str
    result: str
    met: bool | None
    """None if it was not measured."""
    reason: str = ""
    """Why it is missed; shown only where it is."""


@dataclass(frozen=True)
class Table:
    """A caption, a header and rows of text."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """Return the caption and the table."""
        return f"{self.caption}\n\n{markdown_table(self.header, self.rows)}".strip()


@dataclass(frozen=True)
class Result:
    """Everything that one benchmark reports."""

    title: str
    method: str
    tables: Sequence[Table]
    goals: Sequence[Goal] = ()
    numbers: Mapping[str, object] = field(default_factory=dict)
    """The measurements behind the tables."""
    figures: Mapping[str, str] = field(default_factory=dict)
    """SVG by the name of the file without its suffix."""
    measured: str = ""
    """Hardware and date; filled when it is written."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a JSON file that `write` wrote; figures keep their names only."""
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        values["tables"] = [Table(**table) for table in values["tables"]]
        values["goals"] = [Goal(**goal) for goal in values["goals"]]
        values["figures"] = dict.fromkeys(values["figures"], "")
        return cls(**values)

    def markdown(self) -> str:
        """Return a section of Markdown: method, figures, tables, goals."""
        parts = [f"## {self.title}", self.method.strip()]
        parts += [f"![{name}]({name}.svg)" for name in self.figures]
        for table in self.tables:
            parts.append(table.markdown())
        if self.goals:
            parts.append(goals_table(self.goals).strip())
        parts.append(f"Measured on {self.measured}.")
        return "\n\n".join(parts) + "\n"


def write(out: Path, name: str, result: Result) -> None:
    """Write NAME.json, NAME.md and the figures into a directory, with hardware and date, and print the Markdown.

    The figures of the committed results that the site has are written into it.
    """
    out.mkdir(parents=True, exist_ok=True)
    values = {**asdict(result), "figures": list(result.figures), "measured": result.measured or hardware()}
    (out / f"{name}.json").write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    text = Result.read(out / f"{name}.json").markdown()
    (out / f"{name}.md").write_text(text, encoding="utf-8")
    for figure, svg in result.figures.items():
        shown = FIGURES / f"{figure}.svg"
        (shown if out == RESULTS and shown.exists() else out / shown.name).write_text(svg, encoding="utf-8")
    print(text)


def update_readme(results: Path = RESULTS, readme: Path = README) -> None:
    """Write the results of a directory between the marks of a README."""
    before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}\n\n{summary(results)}\n\n{END}{after}", encoding="utf-8")


def summary(results: Path = RESULTS) -> str:
    """Return the goals of every result, or its first table if it has none, with the hardware and the date."""
    parts: list[str] = []
    for path in sorted(results.glob("*.json")):
        result = Result.read(path)
        parts += [f"### {result.title}", f"Measured on {result.measured} ([{path.name}](results/{path.name}))."]
        parts.append((goals_table(result.goals) if result.goals else result.tables[0].markdown()).strip())
    return "\n\n".join(parts)


def goals_table(goals: Iterable[Goal]) -> str:
    """Lay out goals, and below them the reasons of those that are not met, numbered."""
    reasons: dict[str, int] = {}
    rows = []
    for goal in goals:
        verdict = {True: "met", False: NOT_MET, None: "not measured"}[goal.met]
        if goal.met is False and goal.reason:
            verdict += f" ({reasons.setdefault(goal.reason, len(reasons) + 1)})"
        rows.append([goal.measure, goal.target, goal.result, verdict])
    notes = "".join(f"\n({number}) {reason}\n" for reason, number in reasons.items())
    return markdown_table(["measure", "target", "result", ""], rows) + notes


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a table of Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def short(value: float) -> str:
    """Write three digits of a number."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def short_time(seconds: float) -> str:
    """Write three digits of a time in seconds, milliseconds or microseconds."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.0f} µs"


def hardware() -> str:
    """Name the processor, its cores, the version of Python and the date."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    name = models[0] if models else platform.processor()
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}"
