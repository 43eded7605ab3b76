"""One self-contained page: figures inline, nothing fetched."""

import io
import re
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.figure import Figure

from gdssm.reproduce.experiment import Experiment, Table

PATH, NUMBER = re.compile(r'\sd="[^"]*"'), re.compile(r"\d+\.\d{3,}")
"""The coordinates of a line, and those with more digits than a screen has."""


@dataclass(frozen=True)
class Section:
    """An experiment with what came of it."""

    experiment: Experiment
    image: str
    finding: str
    tables: list[Table]


def svg(figure: Figure, name: str) -> str:
    """Render a figure as an SVG element, the same bytes for the same figure, its ids unlike those of others."""
    file = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with rc_context({"svg.hashsalt": name}):
        figure.savefig(file, format="svg", metadata=nothing)
    text = file.getvalue()
    return PATH.sub(
        lambda path: NUMBER.sub(lambda number: f"{float(number[0]):.2f}", path[0]), text[text.index("<svg") :]
    )


def page(report: dict[str, Any], sections: list[Section]) -> str:
    """Fill the page."""
    environment = Environment(
        loader=PackageLoader("gdssm.reproduce", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    images = {section.experiment.name: Markup(section.image) for section in sections}  # noqa: S704  (our own drawing)
    return environment.get_template("report.html.jinja").render(report=report, sections=sections, images=images)
