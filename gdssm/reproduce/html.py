"""One self-contained HTML page with inline figures."""

import io
import re
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.figure import Figure

from gdssm.reproduce.claims import Verdict
from gdssm.reproduce.experiment import Experiment, ReportTable
from gdssm.reproduce.plot_style import DARK

COLOR = re.compile(r"#[0-9a-f]{6}\b")
PATH, NUMBER = re.compile(r'\sd="[^"]*"'), re.compile(r"\d+\.\d{3,}")
"""The coordinates of a line, and numbers with more digits than a screen shows."""


@dataclass(frozen=True)
class Section:
    """An experiment with its results."""

    experiment: Experiment
    image: str
    finding: str
    tables: list[ReportTable]


def svg(figure: Figure, name: str) -> str:
    """Render a figure as an SVG element: reproducible bytes, and ids that differ from those of other figures."""
    file = io.StringIO()
    metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with rc_context({"svg.hashsalt": name}):
        figure.savefig(file, format="svg", metadata=metadata)
    text = file.getvalue()
    return PATH.sub(
        lambda path: NUMBER.sub(lambda number: f"{float(number[0]):.2f}", path[0]), text[text.index("<svg") :]
    )


def page(report: dict[str, Any], sections: list[Section], verdicts: list[Verdict]) -> str:
    """Fill the page."""
    environment = Environment(
        loader=PackageLoader("gdssm.reproduce", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    images = {
        section.experiment.name: Markup(_themed(section.image))  # noqa: S704  (our own drawing)
        for section in sections
    }
    statements = [(statement, list(rows)) for statement, rows in groupby(verdicts, lambda verdict: verdict.statement)]
    return environment.get_template("report.html.jinja").render(
        report=report, sections=sections, images=images, verdicts=verdicts, statements=statements, dark_colors=DARK
    )


def _themed(image: str) -> str:
    """Let the page replace the colours that need another one on a dark background."""
    return COLOR.sub(lambda color: f"var(--c-{color[0][1:]}, {color[0]})" if color[0] in DARK else color[0], image)
