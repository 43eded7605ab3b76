"""The name and the plot style of each learner: trained is blue, descent orange, both darker with every step."""

import re
from dataclasses import dataclass
from typing import Any

ZERO = "zero"
BLUES = {1: "#3B8BC9", 2: "#1F6AAE", 5: "#114B87", 10: "#08254F"}
ORANGES = {1: "#EE8A2A", 2: "#D9661B", 5: "#B04A12", 10: "#7A330D"}
INK, SOFT = "#222222", "#8A8A8A"
FAMILIES = {
    "zero": SOFT,
    "mean": "#B5B5B5",
    "conjugate gradient": "#009E73",
    "line search": "#2A7F3E",
    "Newton–Schulz": "#B0579A",
    "decay 1": ORANGES[1],
    "best decay": "#2A7F3E",
    "ridge 1e-2": "#6B6B00",
    "ridge 1e-3": "#9A9A1C",
    "least squares": INK,
    "standardised": "#00868B",
    "Gaussian process": "#B0579A",
}
"""Colours of the other learners by the start of the name, after the palette of Okabe and Ito."""
DARK = {
    "#ffffff": "#161616",
    "#000000": "#e4e4e4",
    "#222222": "#e4e4e4",
    "#8a8a8a": "#a5a5a5",
    "#e6e6e6": "#3a3a3a",
    "#3b8bc9": "#4f9edb",
    "#1f6aae": "#7cb8e8",
    "#114b87": "#a9d2f3",
    "#08254f": "#d6eafb",
    "#d9661b": "#f09a5a",
    "#b04a12": "#f6bd92",
    "#7a330d": "#fbdcc5",
    "#2a7f3e": "#5fbf76",
    "#0f4021": "#a5e0b8",
    "#b0579a": "#d68ac2",
    "#6b6b00": "#c2c24d",
    "#00868b": "#3fb8bd",
}
"""Colours that are replaced on a dark background, as matplotlib writes them."""
RC: dict[Any, Any] = {
    "axes.edgecolor": SOFT,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "figure.facecolor": "white",
    "font.family": "sans-serif",
    "font.size": 10,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "xtick.color": INK,
    "ytick.color": INK,
}
"""Settings of matplotlib for every figure."""


def trained(layers: int) -> str:
    """Name a trained stack."""
    return f"trained, {layers} layer{_s(layers)}"


def descent(steps: int, *, shared: bool = False) -> str:
    """Name gradient descent with fixed rates."""
    rates = "" if steps == 1 else ", one rate" if shared else ", a rate each"
    return f"descent, {steps} step{_s(steps)}{rates}"


def line_search(steps: int) -> str:
    """Name gradient descent whose rates follow from the context."""
    return f"line search, {steps} step{_s(steps)}"


def _s(count: int) -> str:
    return "" if count == 1 else "s"


@dataclass(frozen=True)
class PlotStyle:
    """Colour, line and marker of a learner."""

    color: str
    dashes: str = "-"
    marker: str = ""
    width: float = 1.8

    def line(self) -> dict[str, Any]:
        """Return the keywords of `Axes.plot`."""
        return {
            "color": self.color,
            "linestyle": self.dashes,
            "marker": self.marker,
            "linewidth": self.width,
            "markersize": 6,
            "markeredgecolor": "white",
        }


def plot_style(name: str) -> PlotStyle:
    """Return the style of a learner by its name."""
    found = re.search(r"\b(\d+) (?:layer|step)", name)
    depth = int(found[1]) if found else 1
    if name.startswith("trained"):
        return PlotStyle(_shade(BLUES, depth), marker="o", width=1.2)
    if name.startswith("descent"):
        return PlotStyle(_shade(ORANGES, depth), "--" if "one rate" in name else "-", width=4.0)
    color = next((color for start, color in FAMILIES.items() if name.startswith(start)), INK)
    return PlotStyle(color, ":" if name.startswith(("zero", "mean")) else "-")


def _shade(shades: dict[int, str], depth: int) -> str:
    return shades[max(known for known in shades if known <= depth)]
